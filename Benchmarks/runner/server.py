# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""The Redis server that is measured on: one of our own, empty, without persistence."""

import os
import shutil
import socket
import subprocess
import tempfile
import time

import redis


class Server:
    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="chard-bench-")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
            cwd=self.directory, stdout=subprocess.DEVNULL)
        self.client = redis.Redis(port=self.port)
        for _ in range(200):
            try:
                self.client.ping()
                return
            except redis.ConnectionError:
                time.sleep(0.02)
        raise SystemExit("redis-server does not start")

    def empty(self):
        self.client.flushall()
        self.client.execute_command("MEMORY", "PURGE")

    def cpu(self):
        """The server's time on the processors so far, in seconds."""
        info = self.client.info("cpu")
        return info["used_cpu_sys"] + info["used_cpu_user"]

    def commands(self):
        return self.client.info("stats")["total_commands_processed"]

    def memory(self):
        return self.client.info("memory")["used_memory"]

    def environment(self, **more):
        return dict(os.environ, BENCH_REDIS_URL=self.url, BENCH_DIR=self.directory, **more)

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
