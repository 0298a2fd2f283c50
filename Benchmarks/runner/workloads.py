# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""What is measured, one function each: it returns figures by name for one system and one round."""

import contextlib
import os
import statistics
import subprocess
import sys
import time


# What a worker is told to do besides, by its environment.
LISTENERS = {
    "drain without history": {"BENCH_NOHISTORY": "1"},
    "drain with metrics and logs": {"CHARD_HTTP": "127.0.0.1:0", "CHARD_LOG_FORMAT": "json", "CHARD_LOG_LEVEL": "warning"},
    "drain with events": {"CHARD_WORKER_EVENTS": "true"},
}


def drain(system, count=None, fill=None, environment=None):
    """Empties a full queue with one worker: from the first task's start until nothing waits and all results are there."""
    count = count or system.drained
    server = system.server
    server.empty()
    system.fill(count, **(fill or {}))
    worker = system.worker(**environment or {})
    first = worker.first()
    cpu, broker = worker.cpu(), server.cpu()
    while not system.is_done(count):
        time.sleep(0.005)
    seconds = time.time() - first
    figures = {
        "rate": count / seconds, "worker_us": (worker.cpu() - cpu) / count * 1e6,
        "broker_us": (server.cpu() - broker) / count * 1e6, "peak_mb": worker.memory("VmHWM") / 1e6,
    }
    worker.stop()
    return figures


def chord(system):
    """The members of a chord and its body, once all of them wait: from the first one's start until the result of the body is
    in its caller's hands. Beside it as many plain tasks; and the whole of it from the call on, with the worker idle."""
    server, count = system.server, system.members
    plain = drain(system, count)
    server.empty()
    caller = system.start("chord", "--count", count)
    while system.waiting() < count:
        time.sleep(0.001)
    worker = system.worker()
    first = worker.first()
    cpu, broker = worker.cpu(), server.cpu()
    caller.wait()
    rate = count / (time.time() - first)
    figures = {
        "rate": rate, "of_plain": rate / plain["rate"], "worker_us": (worker.cpu() - cpu) / count * 1e6,
        "broker_us": (server.cpu() - broker) / count * 1e6,
    }
    from_call = system.run("chord", "--count", count)
    worker.stop()
    return {**figures, "sent_s": from_call["sent"], "from_call_s": from_call["seconds"]}


def chain(system):
    """What one link costs, from its start to the next one's, of a long chain on an idle worker."""
    system.server.empty()
    worker = system.worker()
    system.fill(1)
    worker.first()
    figures = system.run("chain", "--count", system.links)
    worker.stop()
    return {"ms_a_link": figures["seconds"] / system.links * 1000}


def two_processes(system):
    """The same with two processes."""
    server, count = system.server, system.drained
    server.empty()
    system.fill(count)
    worker = system.worker(processes=2)
    first = worker.first()
    while not system.is_done(count):
        time.sleep(0.005)
    rate = count / (time.time() - first)
    worker.stop()
    return {"rate": rate}


def waiting_tasks(system, processes, count=4_000, seconds=0.005):
    """Tasks that wait for something else, so that the server has time left: how the rate grows with processes."""
    server = system.server
    server.empty()
    system.run("slow", "--count", count, "--seconds", seconds)
    worker = system.worker(processes=processes)
    while system.waiting() == count:
        time.sleep(0.001)
    began, left = time.time(), system.waiting()
    while not system.is_done(count):
        time.sleep(0.002)
    rate = left / (time.time() - began)
    worker.stop()
    return {"rate": rate}


def enqueue(system):
    system.server.empty()
    figures = system.enqueue(system.sent)
    return {"rate": system.sent / figures["seconds"], "client_us": figures["cpu"] / system.sent * 1e6}


def enqueue_together(system):
    """64 callers on one client."""
    system.server.empty()
    figures = system.enqueue(system.many, callers=64)
    return {"rate": system.many / figures["seconds"], "client_us": figures["cpu"] / system.many * 1e6}


def bulk(system):
    system.server.empty()
    figures = system.bulk(system.many)
    return {"rate": system.many / figures["seconds"], "client_us": figures["cpu"] / system.many * 1e6}


# Of 200, the second worst would be the 99th percentile.
SAMPLES = 500


def latency(system):
    system.server.empty()
    worker = system.worker()
    system.fill(1)
    worker.first()
    time.sleep(0.3)
    figures = system.run("latency", "--samples", SAMPLES)
    worker.stop()
    return percentiles(figures)


def socket_latency(lowest):
    return percentiles(lowest.latency(SAMPLES))


def percentiles(figures):
    rows = {}
    for name in ("start", "result"):
        times = sorted(figures[name])
        for percent in (50, 99) if times else ():
            rows[f"{name}_p{percent}_ms"] = times[min(len(times) - 1, len(times) * percent // 100)]
    return rows


@contextlib.contextmanager
def awake():
    """Keeps every processor busy with what gives way to all else: to wake one that sleeps is the machine's cost."""
    spin = "import os; os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))\nwhile True: pass"
    spinners = [subprocess.Popen([sys.executable, "-c", spin]) for _ in range(os.cpu_count())]
    try:
        yield
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()


def payload(system, size, count):
    """Bytes of arguments that pass a worker in a second."""
    return {"mb_per_s": drain(system, count, {"payload": size})["rate"] * size / 1e6}


def start(system):
    """From the process's start to its first task."""
    system.server.empty()
    system.fill(1)
    worker = system.worker()
    milliseconds = (worker.first() - worker.began) * 1000
    worker.stop()
    return {"ms": milliseconds}


def help_text(system):
    times = []
    for _ in range(9):
        began = time.perf_counter()
        subprocess.run([*system.program, "--help"], stdout=subprocess.DEVNULL, check=True)
        times.append((time.perf_counter() - began) * 1000)
    return {"ms": statistics.median(times)}


def idle(system, seconds=60):
    """A worker with nothing to do, after its first task; a minute, since the system counts in hundredths of a second."""
    server = system.server
    server.empty()
    system.fill(1)
    worker = system.worker()
    worker.first()
    time.sleep(1)
    cpu, commands = worker.cpu(), server.commands()
    time.sleep(seconds)
    figures = {
        "cpu_percent": (worker.cpu() - cpu) / seconds * 100,
        # Without this question itself.
        "commands_per_s": (server.commands() - commands - 1) / seconds, "rss_mb": worker.memory("VmRSS") / 1e6,
    }
    worker.stop()
    return figures


def backlog(system, waiting, scheduled):
    """The drain rate at the head of a long queue, and what a waiting task takes of the server's memory."""
    server = system.server
    server.empty()
    before = server.memory()
    system.run("backlog", "--count", waiting, "--eta", 0)
    message = server.client.lindex(system.queue, 0)
    memory = (server.memory() - before) / waiting / len(message)
    system.run("backlog", "--count", 0, "--eta", scheduled)
    part = min(system.drained, waiting // 2)
    worker = system.worker()
    first = worker.first()
    while system.waiting() > waiting - part:
        time.sleep(0.005)
    rate = (waiting - system.waiting()) / (time.time() - first)
    worker.stop()
    return {"rate": rate, "memory_ratio": memory, "message_bytes": len(message)}


def long_run(system, tasks):
    """The worker's resident memory after each fifth of so many tasks."""
    server, part = system.server, tasks // 5
    server.empty()
    worker = system.worker(BENCH_NORESULT="1")
    sizes = {}
    for fifth in range(5):
        for _ in range(max(1, part // 200_000)):
            system.fill(min(part, 200_000))
            while system.waiting() > 0:
                time.sleep(0.02)
            server.client.flushall()
        sizes[f"rss_mb_{fifth + 1}"] = worker.memory("VmRSS") / 1e6
    worker.stop()
    return sizes
