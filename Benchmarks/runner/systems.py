# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""The task queues that are measured, each with its own way to send, to run and to tell that all is done."""

import json
import os
import shutil
import subprocess
import sys

from .worker import Worker

PEERS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "Peers")


class System:
    """A queue by its peer program. `drained`, `sent`, `many`, `members` and `links` are counts that keep each round to a few
    seconds."""

    queue = "celery"
    keeps_results = True

    def __init__(self, server):
        self.server = server

    def run(self, *arguments):
        """Runs a command of the peer and returns what it prints."""
        done = subprocess.run(
            [*self.program, *map(str, arguments)], cwd=PEERS, env=self.server.environment(), check=True,
            stdout=subprocess.PIPE, text=True)
        return json.loads(done.stdout.splitlines()[-1])

    def start(self, *arguments):
        """Begins a command of the peer, for whoever waits for its end."""
        return subprocess.Popen(
            [*self.program, *map(str, arguments)], cwd=PEERS, env=self.server.environment(), stdout=subprocess.DEVNULL)

    def enqueue(self, count, **options):
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        return self.run("enqueue", "--count", count, *words)

    def fill(self, count, **options):
        self.enqueue(count, **options)

    def worker(self, **environment):
        return Worker(self.server, self.worker_command, PEERS, **environment)

    def waiting(self):
        return self.server.client.llen(self.queue)

    def results(self):
        """How many results are stored."""
        return sum(1 for _ in self.server.client.scan_iter("celery-task-meta-*", 1000))

    def is_done(self, count):
        return self.waiting() == 0 and self.server.client.dbsize() >= count


class Chard(System):
    name, sent, drained, many = "Chard", 10_000, 300_000, 100_000
    members, links = 10_000, 1_000

    def __init__(self, server, program):
        super().__init__(server)
        self.program = [program]
        self.worker_command = [program, "worker"]

    def worker(self, processes=1, **environment):
        worker = {"BENCH_CONCURRENCY": "8", **environment}
        command = self.worker_command + (["--processes", str(processes)] if processes > 1 else [])
        return Worker(self.server, command, **worker)

    def bulk(self, count):
        return self.run("enqueue", "--count", count, "--bulk")

    def fill(self, count, **options):
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self.run("enqueue", "--count", count, "--bulk", *words)


class Celery(System):
    name, sent, drained = "Celery prefork -c 1", 2_000, 2_000
    members, links = 1_000, 200
    program = [sys.executable, "client.py", "celery_peer"]
    worker_command = [
        sys.executable, "-m", "celery", "-A", "celery_peer", "worker", "-c", "1", "-l", "ERROR",
        "--without-gossip", "--without-mingle",
    ]


class Huey(System):
    name, sent, drained = "huey -w 1", 5_000, 5_000
    queue = "huey.redis.bench"
    program = [sys.executable, "client.py", "huey_peer"]
    worker_command = [sys.executable, "-m", "huey.bin.huey_consumer", "huey_peer.huey", "-w", "1", "-q"]

    def is_done(self, count):
        return self.waiting() == 0 and self.server.client.hlen("huey.results.bench") >= count


class Sidekiq(System):
    name, sent, drained, many = "Sidekiq -c 2", 5_000, 20_000, 50_000
    queue = "queue:default"
    keeps_results = False
    program = ["ruby", "sidekiq_peer.rb"]
    worker_command = ["sidekiq", "-r", "./sidekiq_peer.rb", "-c", "2"]

    def bulk(self, count):
        return self.run("bulk", "--count", count)

    def fill(self, count, **options):
        self.bulk(count)

    def is_done(self, count):
        return self.waiting() == 0


def available(server, chard, names):
    """The systems of these names, as far as they are installed."""
    systems = [Chard(server, chard)]
    if "celery" in names:
        systems.append(Celery(server))
    if "huey" in names:
        systems.append(Huey(server))
    if "sidekiq" in names:
        if shutil.which("sidekiq"):
            systems.append(Sidekiq(server))
        else:
            print("run: no sidekiq here (Debian: ruby-sidekiq); going on without", file=sys.stderr)
    return systems
