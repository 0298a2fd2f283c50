# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0
"""What Celery's own tools and Flower say of two Swift workers and a Python one, to be looked at: docs/remote-control.md shows it.

    transcript.py DIR [--programs .build/debug]

DIR gets celery.txt, each command with its answer, and Flower's pages as pictures and as text, where there is Chromium.
Ends with 1 where an answer lacks a worker, or a page cannot be had.
"""

import argparse
import contextlib
import html
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
NODES = ["one@swift", "py@python", "two@swift"]
missing = []


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def eventually(what, condition, limit=60):
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            if condition():
                return
        time.sleep(0.2)
    raise SystemExit(f"waited in vain until {what}")


class Fleet:
    def __init__(self, folder, programs):
        self.folder, self.programs, self.processes = folder, programs, []
        port = free_port()
        self.url = f"redis://127.0.0.1:{port}/0"
        self.environment = os.environ | {
            "BROKER_URL": self.url, "CHARD_BROKER_URL": self.url, "PYTHONPATH": str(ROOT / "Tests/Interop"),
            "PYTHONDONTWRITEBYTECODE": "1", "FLOWER_UNAUTHENTICATED_API": "true", "PYTHONWARNINGS": "ignore"}
        self.start("redis-server", "--port", str(port), "--save", "")
        for node in NODES:
            if node.endswith("swift"):
                self.start(f"{programs}/interop", "worker", "-c", "4", "-n", node, "-E")
            else:
                self.start(*self.words("worker", "-c", "2", "-n", node, "-E"))
        # No answer in this time is none.
        answers = lambda: all(node in self.celery("inspect", "ping", "-t", "2") for node in NODES)
        eventually("all workers answer", answers)

    def words(self, *words):
        return [sys.executable, "-m", "celery", "-A", "peer", *words]

    def start(self, *words):
        name = pathlib.Path(words[0]).name + str(len(self.processes))
        with open(f"{self.folder}/{name}.log", "w") as log:
            process = subprocess.Popen(
                words, env=self.environment, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder)
        self.processes.append(process)
        return process, pathlib.Path(log.name)

    def celery(self, *words):
        done = subprocess.run(
            self.words(*words), env=self.environment, capture_output=True, text=True, timeout=60, cwd=self.folder)
        return done.stdout + done.stderr

    def end(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()


def transcript(fleet, app, target):
    """Each command with its answer, while each worker has something to do."""
    text = ""

    def told(words, answer, *expected):
        nonlocal text
        text += f"$ celery -A peer {' '.join(words)}\n{answer.strip()}\n\n"
        missing.extend(f"{' '.join(words)}: {word}" for word in expected if word not in answer)

    running = []
    while len(busy := set(active(app))) < len(NODES):
        running.append(app.send_task("interop.sleepy", (60,)))
        time.sleep(0.2)
        if len(running) > 40:
            raise SystemExit(f"only {busy} have something to do")
    for words in [("status",), *(("inspect", method) for method in ["active", "active_queues", "registered", "stats"]),
                  ("inspect", "report")]:
        told(words, fleet.celery(*words, "-t", "3"), *NODES)
    told(("report",), fleet.celery("report"), "software", "broker_url")
    told(("control", "rate_limit", "interop.add", "10/m"),
         fleet.celery("control", "rate_limit", "interop.add", "10/m", "-t", "3"), *NODES)
    fleet.celery("control", "rate_limit", "interop.add", "0", "-t", "3")

    app.control.revoke([each.id for each in running], terminate=True)
    eventually("all have their hands free", lambda: not active(app))
    dump, log = fleet.start(*fleet.words("events", "--dump"))
    eventually("the dump listens", lambda: "heartbeat" in log.read_text())
    for name, arguments in [("add", (2, 3)), ("fail", ("no",)), ("retry_then_ok", (1, 0.1))] * 4:
        app.send_task(f"interop.{name}", arguments)
    words = ["succeeded", "failed", "retried", *(f"{node} [" for node in NODES)]
    with contextlib.suppress(SystemExit):
        eventually("all is told", lambda: all(word in log.read_text() for word in words), 20)
    told(("events", "--dump"), log.read_text(), *words)
    dump.terminate()
    (target / "celery.txt").write_text(text)


def active(app):
    """The nodes that run something."""
    return [node for node, tasks in (app.control.inspect(timeout=2).active() or {}).items() if tasks]


def flower(fleet, app, target):
    """The four pages, after some tasks that ended in every way."""
    port = free_port()
    fleet.start(*fleet.words("flower", "--address=127.0.0.1", f"--port={port}"))
    base = f"http://127.0.0.1:{port}"
    get = lambda path: urllib.request.urlopen(base + path, timeout=10).read().decode()
    eventually("Flower sees all", lambda: all(node in get("/api/workers?refresh=1") for node in NODES))
    calls = [
        app.send_task(f"interop.{name}", arguments)
        for name, arguments in [("add", (2, 3)), ("fail", ("no",)), ("retry_then_ok", (2, 0.1)), ("echo", ("x" * 30,))] * 5]
    calls.append(app.send_task("interop.sleepy", (60,)))
    seen = lambda call: f'"state": "STARTED"' in get(f"/api/task/info/{call.id}")
    eventually("Flower sees the last", lambda: seen(calls[-1]))
    retried = calls[2].id
    pages = {"workers": "/workers", "worker": "/worker/one@swift", "tasks": "/tasks", "task": f"/task/{retried}"}
    words = {"workers": NODES, "worker": ["one@swift"], "tasks": [retried], "task": [retried, "SUCCESS"]}
    chromium = shutil.which("chromium")
    for name, path in pages.items():
        if not chromium:
            missing.extend([f"{name}: {word}" for word in words[name] if name != "tasks" and word not in get(path)])
            continue
        options = [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                   f"--user-data-dir={fleet.folder}/browser", "--window-size=1200,1000", "--virtual-time-budget=6000"]
        quiet = {"stderr": subprocess.DEVNULL, "timeout": 60}
        subprocess.run([*options, f"--screenshot={target}/flower-{name}.png", base + path], **quiet)
        page = subprocess.run([*options, "--dump-dom", base + path], stdout=subprocess.PIPE, text=True, **quiet).stdout
        text = re.sub(r"<(script|style|svg)\b.*?</\1>", "", page, flags=re.DOTALL)
        lines = [line.strip() for line in html.unescape(re.sub(r"<[^>]*>", "\n", text)).splitlines()]
        text = "\n".join(line for line in lines if line)
        (target / f"flower-{name}.txt").write_text(text + "\n")
        missing.extend(f"{name}: {word}" for word in words[name] if word not in text)
    app.control.revoke(calls[-1].id, terminate=True)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("target", type=pathlib.Path)
    options.add_argument("--programs", default=str(ROOT / ".build/debug"))
    options = options.parse_args()
    target = options.target.resolve()
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="transcript-") as folder:
        fleet = Fleet(folder, pathlib.Path(options.programs).resolve())
        try:
            os.environ["BROKER_URL"] = fleet.url
            from peer import app

            transcript(fleet, app, target)
            flower(fleet, app, target)
        finally:
            fleet.end()
            if missing:
                for log in sorted(pathlib.Path(folder).glob("*.log")):
                    print(f"--- {log.name}\n{log.read_text()[-3000:]}")
    for each in missing:
        print(f"missing: {each}")
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    main()
