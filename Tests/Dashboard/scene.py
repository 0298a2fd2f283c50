# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""What the dashboard looks at: a broker, Swift workers, a Python worker where the broker carries it, and the dashboard itself."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Examples/Apps/Browser"))

from site_processes import Redis, answers, eventually, free_port  # noqa: E402

PYTHON = os.environ.get("CHARD_TEST_PYTHON", str(ROOT / ".venv/bin/python"))


class Scene:
    def __init__(self, broker, folder, programs):
        self.folder, self.programs = pathlib.Path(folder), pathlib.Path(programs)
        self.redis = Redis(folder) if broker == "redis" else None
        self.broker = self.redis.url if self.redis else f"sqlite:///{self.folder}/tasks.db"
        self.environment = {**os.environ, "CHARD_BROKER_URL": self.broker}
        self.processes = {}
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self):
        self.worker("swift", "-Q", "celery,mail", "--beat")
        if self.redis:
            self.python_worker()
        self.start_dashboard()

    def worker(self, name, *options):
        self._spawn(name, [self.programs / "orders", "worker", "-n", f"{name}@shop", "--concurrency", "4", *options])
        eventually(f"the worker {name} is ready", lambda: b" is ready" in self._log(name))

    def python_worker(self):
        self._spawn(
            "python", [PYTHON, "-m", "celery", "-A", "peer", "worker", "-l", "INFO", "-Q", "python", "-n", "python@shop", "-c", "1"],
            cwd=ROOT / "Tests/Interop", environment={"BROKER_URL": self.broker})
        eventually("the Python worker is ready", lambda: b" ready." in self._log("python"), 60)

    def start_dashboard(self):
        self._spawn("dashboard", [self.programs / "chard", "dashboard", "--http", f"127.0.0.1:{self.port}"])
        eventually("the dashboard answers", lambda: answers(self.port))

    def command(self, *arguments):
        """Runs a command, and returns what it answers."""
        run = subprocess.run(
            [self.programs / "chard", *arguments, "--json"], env=self.environment, capture_output=True, text=True, timeout=60)
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)

    def send(self, task, *arguments, options=()):
        return self.command("send", task, "--args", json.dumps(arguments), *options)["id"]

    def ask(self, path, form=None, headers=None):
        """Asks for the JSON of a page, or sends a form. Returns status and document."""
        body = form and json.dumps(form).encode()
        request = urllib.request.Request(
            self.url + path, data=body,
            headers={"Accept": "application/json", "Content-Type": "application/json", **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as answer:
            return answer.code, json.loads(answer.read() or b"null")

    def kill(self, name):
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def stop(self, name):
        process = self.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0, f"{name} ended with {process.returncode}: {self._log(name)[-2000:]}"

    def end(self):
        for name in list(self.processes):
            self.kill(name)
        if self.redis:
            self.redis.kill()

    def logs(self):
        return "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')[-1500:]}" for path in self.folder.glob("*.log"))

    def _spawn(self, name, command, cwd=None, environment=None):
        with open(self.folder / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(
                [str(part) for part in command], cwd=cwd, env={**self.environment, **(environment or {})}, stdout=log,
                stderr=log)

    def _log(self, name):
        assert self.processes[name].poll() is None, f"{name} has ended: {(self.folder / f'{name}.log').read_text()[-2000:]}"
        return (self.folder / f"{name}.log").read_bytes()
