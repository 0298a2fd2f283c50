# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""A service of compose.yaml as a local process: the same command, the same environment, other ports and folders."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import time

from journal import eventually


class Host:
    """Where the processes run in the place of containers."""

    def __init__(self, folder, compose, programs, certificates):
        self.folder, self.compose, self.certificates = pathlib.Path(folder), compose, certificates
        self.programs = pathlib.Path(programs)
        self.ports = {}

    def port(self, service, port):
        """The free port that stands for a container's."""
        if (service, port) not in self.ports:
            with socket.socket() as found:
                found.bind(("127.0.0.1", 0))
                self.ports[service, port] = found.getsockname()[1]
        return self.ports[service, port]

    def place(self, service, path):
        """The folder that stands for a mount."""
        source = service.mounts[path]
        if source.startswith("."):
            return pathlib.Path(self.certificates) if source.endswith("/tls") else self.compose.folder / source
        place = self.folder / source
        place.mkdir(exist_ok=True)
        return place

    def here(self, text, service):
        """A word of a command or environment, with what is local in the place of what a container has."""
        names = "|".join(map(re.escape, self.compose.services))
        text = re.sub(rf"\b({names}):(\d+)\b", lambda it: f"127.0.0.1:{self.port(it[1], int(it[2]))}", text)
        text = re.sub(
            r"\b(?:0\.0\.0\.0|127\.0\.0\.1):(\d+)\b",
            lambda it: it[0] if int(it[1]) in self.ports.values()
            else f"127.0.0.1:{self.port(service.name, int(it[1]))}", text)
        text = text.replace("0.0.0.0", "127.0.0.1").replace("/usr/local/bin", str(self.programs))
        for port in service.ports:
            text = re.sub(rf"(?<![\d.:]){port}(?!\d)", str(self.port(service.name, port)), text)
        for target in service.mounts:
            text = text.replace(target, str(self.place(service, target)))
        return text.replace("/opt/polls", str(self.compose.folder / "docker/python"))


class RunningService:
    def __init__(self, service, host, journal):
        self.service, self.host, self.journal = service, host, journal
        self.name = service.name
        self.log_file = host.folder / f"{self.name}.log"
        self.process = None

    @property
    def command(self):
        words = [self.host.here(word, self.service) for word in self.service.command]
        if words[0] == "redis-server":
            # Loopback alone, and a port where the command leaves the usual one.
            words += ["--bind", "127.0.0.1"]
            if "--port" not in words:
                words += ["--port", str(self.host.port(self.name, 6379))]
        return words

    @property
    def environment(self):
        own = {name: self.host.here(str(value), self.service) for name, value in self.service.environment.items()}
        path = f"{self.host.programs}:{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(self.host.folder), "HOSTNAME": socket.gethostname(), **own}

    @property
    def folder(self):
        return self.host.place(self.service, self.service.work_folder)

    def start(self):
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, env=self.environment, stdout=log, stderr=log, start_new_session=True)
        begun = time.monotonic()
        eventually(f"{self.name} is healthy (see {self.log_file})", self.is_healthy, within=60)
        self.journal.note(self.name, f"is healthy after {time.monotonic() - begun:.1f} s")

    def is_healthy(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} has ended with {self.process.returncode}:\n{self.log()}")
        kind, *words = [self.host.here(word, self.service) for word in self.service.check]
        words = ["sh", "-c", *words] if kind == "CMD-SHELL" else words
        return subprocess.run(
            words, cwd=self.folder, env=self.environment, capture_output=True, timeout=30).returncode == 0

    def stop(self):
        """Ends it as Docker does; it has to end by itself, in time and well."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout=self.service.patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} was not over within {self.service.patience} s:\n{self.log()}") from None
        assert status == 0, f"{self.name} ended with {status}:\n{self.log()}"
        took = time.monotonic() - begun
        self.journal.note(self.name, f"has ended well after {took:.1f} s, of {self.service.patience} s that it had")

    def restart(self):
        self.stop()
        self.start()

    def kill_and_come_back(self):
        """Kills all of its processes, as the end of a container does, and starts it as its policy says."""
        processes = descendants(self.process.pid) + [self.process.pid]
        for pid in processes:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.journal.note(self.name, f"is killed: SIGKILL to {len(processes)} of its processes")
        assert self.service.restart == "unless-stopped", f"nobody starts {self.name} again"
        self.start()

    def end_whatever_it_takes(self):
        if self.process and self.process.poll() is None:
            for pid in descendants(self.process.pid) + [self.process.pid]:
                os.kill(pid, signal.SIGKILL)
            self.process.wait()

    def run(self, *words):
        """`docker compose exec NAME program ...`: returns standard output."""
        done = subprocess.run(
            ["program", *words], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{' '.join(words)} ended with {done.returncode}: {done.stderr}"
        return done.stdout

    def log(self):
        return self.log_file.read_text(errors="replace")[-4000:]


def descendants(pid):
    """All processes below one, the youngest first."""
    parents = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(entry.parent.name)] = int(entry.read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            pass
    below, found = [pid], []
    while below:
        parent = below.pop()
        children = [child for child, its in parents.items() if its == parent]
        below += children
        found += children
    return sorted(found, reverse=True)
