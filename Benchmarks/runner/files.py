# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""Calls that are sent one by one to a SQLite file, by Chard and by huey."""

import json
import os
import subprocess
import sys
import tempfile

from .systems import PEERS


class File:
    """A system on a file of its own, which is new in each round."""

    def __init__(self, name, program, environment):
        self.name, self.program, self.environment = name, program, environment

    def enqueue(self, count):
        with tempfile.TemporaryDirectory(prefix="chard-bench-", dir=os.environ.get("BENCH_FILES")) as folder:
            environment = self.environment(os.path.join(folder, "tasks.db"))
            done = subprocess.run(
                [*self.program, "enqueue", "--count", str(count)], cwd=PEERS, env={**os.environ, **environment},
                check=True, stdout=subprocess.PIPE, text=True)
        return json.loads(done.stdout.splitlines()[-1])


def enqueue(system, count=10_000):
    figures = system.enqueue(count)
    return {"rate": count / figures["seconds"], "client_us": figures["cpu"] / count * 1e6}


def systems(chard):
    def url(synchronous):
        return lambda path: {"BENCH_REDIS_URL": f"sqlite:///{path}?synchronous={synchronous}"}

    def huey(fsync):
        return lambda path: {"BENCH_FILE": path, "BENCH_FSYNC": fsync}

    client = [sys.executable, "client.py", "huey_file_peer"]
    return [
        File("Chard, synchronous=full", [chard], url("full")), File("huey, fsync", client, huey("1")),
        File("Chard, synchronous=normal", [chard], url("normal")), File("huey, without sync", client, huey("0")),
    ]
