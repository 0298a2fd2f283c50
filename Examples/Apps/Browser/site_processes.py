# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""The processes of a site: its web server, its worker, and the Redis that both use."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def eventually(what, condition, within=20):
    deadline = time.monotonic() + within
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {within} s in vain until {what}"
        time.sleep(0.05)
    return value


def answers(port):
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


class Redis:
    def __init__(self, folder):
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.folder = folder
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--save", "", "--dir", self.folder],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually("Redis answers", lambda: answers(self.port))

    def kill(self):
        self.process.kill()
        self.process.wait()


class Site:
    """A web server, and a worker beside it, in a folder of their own."""

    worker_options = ()

    def __init__(self, program, folder, broker):
        self.program, self.folder = program, pathlib.Path(folder)
        self.environment = {**os.environ, "CHARD_BROKER_URL": broker}
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.web = self.worker = None

    def start(self, worker=True, **environment):
        self.environment.update({name: str(value) for name, value in environment.items()})
        self.web = self._spawn("serve", "--no-worker", "--port", str(self.port))
        eventually("the site answers", lambda: answers(self.port) or self.web.poll() is not None)
        assert self.web.poll() is None, "the web server has ended"
        if worker:
            self.start_worker()

    def start_worker(self, *options):
        self.worker_options = options or self.worker_options
        log = self.folder / "log"
        begin = log.stat().st_size if log.exists() else 0
        self.worker = self._spawn("worker", *self.worker_options)
        # Asked to end before that, it would not end well.
        eventually("the worker is ready", lambda: b" is ready" in log.read_bytes()[begin:])

    def stop_worker(self):
        assert self._end(self.worker) == 0, "the worker did not end well"
        self.worker = None

    def stop(self):
        """Both have to end by themselves, and well, as soon as they are asked to."""
        for process in [self.worker, self.web]:
            if process:
                assert self._end(process) == 0, f"{process.args[1]} ended with {process.returncode}"
        self.web = self.worker = None

    def kill(self):
        for process in [self.worker, self.web]:
            if process and process.poll() is None:
                process.kill()
                process.wait()

    def log(self):
        log = self.folder / "log"
        return log.read_text(errors="replace")[-8000:] if log.exists() else "nothing: it was not started"

    def _spawn(self, *arguments):
        with open(self.folder / "log", "ab") as log:
            return subprocess.Popen(
                [self.program, *arguments], cwd=self.folder, env=self.environment, stdout=log, stderr=log)

    def _end(self, process):
        process.send_signal(signal.SIGTERM)
        return process.wait(timeout=20)

    def ask(self, method, path, body=None, headers=None):
        """Asks without a browser. Returns status, headers, text."""
        headers = headers or {}
        if isinstance(body, dict):
            body, headers = json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
        request = urllib.request.Request(self.url + path, data=body, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.headers, answer.read().decode()
