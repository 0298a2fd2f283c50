# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""A PostgreSQL server of one's own, on a free port."""

import glob
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from site_processes import eventually, free_port

# Characters that mean something in a URL, and have to come through all the same.
PASSWORD, PASSWORD_IN_URL = "s3cret/@x", "s3cret%2F%40x"


def programs():
    """Where Debian has them: not on the path, since several versions may be there."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
    return found[-1] if found else str(pathlib.Path(shutil.which("postgres") or "/usr/bin/postgres").parent)


class Postgres:
    def __init__(self):
        # Not in the site's folder: the server refuses to be root, and what is root's is closed to it.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="postgres-"))
        self.user = "postgres" if os.geteuid() == 0 else None
        self.port = free_port()
        self.url = f"postgresql://clerk:{PASSWORD_IN_URL}@127.0.0.1:{self.port}/postgres"
        if self.user:
            shutil.chown(self.folder, self.user)
        password = self.folder / "password"
        password.write_text(PASSWORD + "\n")
        password.chmod(0o644)
        subprocess.run(
            [programs() + "/initdb", "-D", self.folder / "data", "-U", "clerk", "--pwfile", password,
             "-A", "scram-sha-256", "--no-sync", "-E", "UTF8", "--locale", "C"],
            check=True, stdout=subprocess.DEVNULL, user=self.user, cwd=self.folder)
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [programs() + "/postgres", "-D", self.folder / "data", "-p", str(self.port), "-k", self.folder,
             "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=self.user, cwd=self.folder)
        eventually("PostgreSQL answers", lambda: self._ask("SELECT 1").returncode == 0)

    def rows(self, sql):
        answer = self._ask(sql)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout.split("\n")[:-1]

    def send(self, number):
        """To it and all of its processes, of which each connection has one."""
        for line in subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split():
            os.kill(int(line), number)
        self.process.send_signal(number)

    def stop(self):
        # A fast shutdown, as Debian's own: every connection is cut.
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=20)

    def close(self):
        if self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _ask(self, sql):
        return subprocess.run(
            ["psql", "-X", "-A", "-t", "-d", self.url, "-c", sql], capture_output=True, text=True)
