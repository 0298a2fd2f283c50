# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""Rehearses compose.yaml: its services as local processes, with the same commands and environment.

    rehearse.py --program .build-staging/release/polls [--seed 1] [--folder DIR]

Polls are made, voted for and closed while each service is restarted in turn and two are killed. Ends with 1 where anything
was lost or doubled, or did not end well.
"""

import argparse
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

from compose_file import ComposeFile
from journal import Journal, eventually
from ledger import Ledger
from running_service import Host, RunningService
from visitors import Visitors

ROOT = pathlib.Path(__file__).resolve().parents[2]
TICKS = "polls.forget"


class Rehearsal:
    def __init__(self, folder, programs, seed):
        self.folder, self.programs, self.seed = pathlib.Path(folder), programs, seed
        self.certificates = self.folder / "certificates"
        self.journal = Journal()
        self.running = {}

    def up(self, act, *profiles, without=(), **variables):
        """`docker compose --profile ... up`, in a folder of this act's own."""
        folder = self.folder / act
        folder.mkdir()
        compose = ComposeFile(ROOT / "compose.yaml", variables)
        host = Host(folder, compose, self.programs, self.certificates)
        self.running = {
            one.name: RunningService(one, host, self.journal)
            for one in compose.of_profiles(*profiles) if one.name not in without}
        for service in self.running.values():
            service.start()
        return self.running, Ledger(folder / "polls/polls.sqlite"), f"http://127.0.0.1:{host.port('web', 8080)}"

    def down(self):
        """Those first that others do not wait for."""
        for service in reversed(self.running.values()):
            service.stop()
        self.running = {}

    def whatever_it_takes(self):
        for service in self.running.values():
            service.end_whatever_it_takes()

    def site(self):
        """All of compose.yaml without a profile, under load."""
        self.journal.title("The site: each service restarted under load, web and worker killed")
        running, ledger, url = self.up("site")
        web, worker, beat, redis = (running[name] for name in ["web", "worker", "beat", "redis"])
        worker.run("beat", "add", "every second", "--task", TICKS, "--every", "1", "--args", "[9999]")
        visitors = Visitors(url, self.seed)
        visitors.start()
        self.journal.note("visitors", "four of them begin to make polls, which close after 2 to 9 s, and to vote")
        # In an order that is another one for each seed.
        steps = [service.restart for service in [beat, worker, web, redis]]
        steps += [service.kill_and_come_back for service in [worker, web]]
        random.Random(self.seed).shuffle(steps)
        for step in steps:
            time.sleep(2)
            # Polls close at full seconds: then there is something to be in the midst of.
            time.sleep(1.01 - time.time() % 1)
            step()
        time.sleep(3)
        visitors.stop()
        self.journal.note("visitors", f"have gone, after {len(visitors.polls)} polls")
        # What a killed worker held runs again within 20 s; what a killed web server left in doubt is sent 15 s later.
        eventually("all polls are closed", lambda: ledger.open_polls == 0, within=60)
        worker.run("beat", "remove", "every second")
        eventually("the queues are empty", lambda: self.is_idle(worker), within=60)
        for line in ledger.check(visitors):
            self.journal.note("ledger", line)
        self.journal.note("ledger", self.check_runs(worker))
        for line in worker.run("doctor").splitlines():
            self.journal.note("doctor", line)
        self.down()

    def is_idle(self, worker):
        return all(
            queue.get("waiting", 0) == 0 and queue.get("leased", 0) == 0 and queue.get("delayed", 0) == 0
            for queue in json.loads(worker.run("queues", "--json")))

    def check_runs(self, worker):
        """That no task has succeeded twice, and none became a dead letter."""
        lines = worker.run("list", "--limit", "1000000", "--json").splitlines()
        ends = [json.loads(line) for line in lines]
        succeeded = [end["id"] for end in ends if end["end"] == "SUCCESS" or end["end"] == "succeeded"]
        twice = {one for one in succeeded if succeeded.count(one) > 1}
        assert not twice, f"tasks that succeeded twice: {twice}"
        assert succeeded, f"no task has succeeded: {ends[:3]}"
        dead = worker.run("dead", "list", "--json").strip()
        assert dead in ("", "[]"), f"dead letters: {dead}"
        ticks = sum(1 for end in ends if end["task"] == TICKS and end["id"] in set(succeeded))
        other = len(ends) - len(succeeded)
        return (f"{len(succeeded)} tasks have succeeded once each, {ticks} of them sent by the beat; {other} runs began "
                "again elsewhere; no dead letters")

    def behind_tls(self):
        """The profile tls, with the URL that .env.example has for it."""
        self.journal.title("Profile tls: the same through a Redis behind TLS, with an authority of one's own")
        subprocess.run([ROOT / "docker/certificates", self.certificates], check=True, capture_output=True)
        url = re.search(r"rediss://\S+", (ROOT / ".env.example").read_text())[0]
        running, ledger, site = self.up("tls", "tls", without=["beat"], CHARD_BROKER_URL=url)
        self.few_polls(site, ledger)
        self.journal.note("redis-tls", f"has {self.keys(running)}; the Redis without TLS has none")
        self.down()

    def keys(self, running):
        """How many keys each of both servers has; that without TLS must not have been asked."""
        host = running["redis"].host
        plain = ["redis-cli", "-p", str(host.port("redis", 6379)), "dbsize"]
        secure = ["redis-cli", "-p", str(host.port("redis-tls", 6380)), "--tls", "--cacert", self.certificates / "ca.pem"]
        counts = [
            int(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
            for words in [plain, [*secure, "dbsize"]]]
        assert counts[0] == 0 and counts[1] > 0, f"keys without TLS, with TLS: {counts}"
        return f"{counts[1]} keys"

    def with_python(self):
        """The profile python, with nobody else to do the work."""
        self.journal.title("Profile python: a Celery worker closes what the Swift site has opened")
        running, ledger, site = self.up("python", "python", without=["worker", "beat"])
        self.few_polls(site, ledger, meanwhile=running["python-worker"].restart)
        self.down()

    def few_polls(self, site, ledger, meanwhile=None):
        visitors = Visitors(site, self.seed)
        for number in range(10):
            visitors.make(f"P{number}", closes_in=4)
        if meanwhile:
            meanwhile()
        eventually("all polls are closed", lambda: ledger.open_polls == 0, within=40)
        for line in ledger.check(visitors):
            self.journal.note("ledger", line)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--program", required=True, type=pathlib.Path)
    options.add_argument("--seed", type=int, default=int(time.time()) % 10_000)
    options.add_argument("--folder", type=pathlib.Path, default=None)
    options = options.parse_args()
    folder = options.folder or pathlib.Path(tempfile.mkdtemp(prefix="chard-staging-"))
    programs = folder / "bin"
    programs.mkdir(parents=True)
    os.symlink(options.program.resolve(), programs / "program")
    os.symlink(pathlib.Path(sys.executable).parent / "celery", programs / "celery")
    print(f"seed {options.seed}, logs in {folder}")
    rehearsal = Rehearsal(folder, programs, options.seed)
    try:
        rehearsal.site()
        rehearsal.behind_tls()
        rehearsal.with_python()
    finally:
        rehearsal.whatever_it_takes()
    print("\nNothing was lost, nothing doubled.")


if __name__ == "__main__":
    main()
