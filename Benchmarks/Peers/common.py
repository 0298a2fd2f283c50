# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""What the Python peers share: the commands of chard-bench-peer, and the line that says when the first task ran."""

import argparse
import json
import os
import random
import resource
import time

REDIS_URL = os.environ.get("BENCH_REDIS_URL", "redis://localhost:6379/0")
_started = False


def first():
    """Appends the line `F <time>` to the trace, the first time only."""
    global _started
    if not _started:
        _started = True
        with open(os.path.join(os.environ.get("BENCH_DIR", "."), f"trace.{os.getpid()}"), "a") as trace:
            trace.write(f"F {time.time()}\n")


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(connect, send, call):
    """`connect()` reaches the broker, `send(i, payload)` sends one echo, `call()` returns when a `now` ran."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    enqueue = commands.add_parser("enqueue")
    enqueue.add_argument("--count", type=int, required=True)
    enqueue.add_argument("--payload", type=int, default=0)
    latency = commands.add_parser("latency")
    latency.add_argument("--samples", type=int, required=True)
    arguments = parser.parse_args()
    connect()
    if arguments.command == "enqueue":
        payload = "x" * arguments.payload if arguments.payload else None
        start, cpu = time.perf_counter(), cpu_seconds()
        for i in range(arguments.count):
            send(i, payload)
        seconds = time.perf_counter() - start
        print(json.dumps({"n": arguments.count, "seconds": seconds, "cpu": cpu_seconds() - cpu, "how": "one"}))
    else:
        starts, results = [], []
        end = time.time() + 60
        while len(starts) < arguments.samples and time.time() < end:
            time.sleep(random.uniform(0.005, 0.05))
            sent, clock = time.time(), time.perf_counter()
            ran = call()
            results.append((time.perf_counter() - clock) * 1000)
            starts.append((ran - sent) * 1000)
        print(json.dumps({"start": starts, "result": results}))
