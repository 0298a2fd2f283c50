# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""What a fleet of idle workers costs its server: real processes, as many as a machine bears, and the rest together in one, each
with one slot, on one queue."""

import os
import signal
import subprocess
import time

# What is revoked before the one revocation that is measured.
REVOKED = 5_000


class Fleet:
    """So many workers, and what the server says of them."""

    def __init__(self, system, size, processes):
        self.system, self.server, self.size = system, system.server, size
        self.server.empty()
        self.others = self.clients()
        for name in os.listdir(self.server.directory):
            if name.startswith("trace."):
                os.remove(os.path.join(self.server.directory, name))
        environment = self.server.environment(BENCH_CONCURRENCY="1")
        self.workers = []
        for _ in range(min(size, processes)):
            self.start(system.worker_command, environment)
            time.sleep(0.02)
        if size > processes:
            self.start([*system.program, "fleet", "--count", str(size - processes)], environment)
        self.wait(lambda: self.server.client.hlen("chard:holders") == size, "the fleet is not ready")

    def start(self, command, environment):
        self.workers.append(
            subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def wait(self, condition, trouble, seconds=180):
        end = time.time() + seconds
        while not condition():
            if time.time() > end:
                raise SystemExit(trouble)
            time.sleep(0.05)

    def clients(self):
        return self.server.client.info("clients")["connected_clients"]

    def calls(self):
        """Commands so far, those that scripts have called among them."""
        stats = self.server.client.info("commandstats")
        return sum(row["calls"] for name, row in stats.items() if name not in ("cmdstat_info", "cmdstat_hlen"))

    def sent(self):
        return self.server.client.info("stats")["total_net_output_bytes"]

    def lateness(self):
        late = []
        for name in os.listdir(self.server.directory):
            if name.startswith("trace."):
                with open(os.path.join(self.server.directory, name)) as trace:
                    late += [float(words[3]) - float(words[2]) for words in map(str.split, trace) if words[0] == "D"]
        return sorted(late)

    def stop(self):
        for worker in self.workers:
            worker.send_signal(signal.SIGTERM)
        for worker in self.workers:
            worker.wait(60)


def fleet(system, size, processes, idle=20, etas=500, spread=5):
    fleet = Fleet(system, size, processes)
    try:
        time.sleep(10)
        figures = {"connections": (fleet.clients() - fleet.others) / size}
        calls, sent, began = fleet.calls(), fleet.sent(), time.time()
        time.sleep(idle)
        elapsed = time.time() - began
        rate, bytes_per_s = (fleet.calls() - calls) / elapsed, (fleet.sent() - sent) / elapsed
        figures["commands_per_s"] = rate / size

        calls, began = fleet.calls(), time.time()
        system.run("eta", "--count", etas, "--spread", spread, "--lead", 3)
        fleet.wait(lambda: len(fleet.lateness()) == etas, "not all ETAs ran")
        figures["commands_an_eta"] = (fleet.calls() - calls - rate * (time.time() - began)) / etas
        late = fleet.lateness()
        figures["late_p50_ms"], figures["late_p99_ms"] = late[etas // 2] * 1000, late[etas * 99 // 100] * 1000

        revoke = [*system.program, "revoke", "--broker", fleet.server.url]
        for start in range(0, REVOKED, 1000):
            ids = [f"revoked-{number}" for number in range(start, start + 1000)]
            subprocess.run([*revoke, *ids], stdout=subprocess.DEVNULL, check=True)
        time.sleep(4)
        sent, began = fleet.sent(), time.time()
        subprocess.run([*revoke, "one-more"], stdout=subprocess.DEVNULL, check=True)
        time.sleep(4)
        figures["bytes_a_revoke"] = (fleet.sent() - sent - bytes_per_s * (time.time() - began)) / size
        return figures
    finally:
        fleet.stop()
