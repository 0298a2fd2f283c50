# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""The same on a PostgreSQL server, which goes away meanwhile."""

import json
import signal
import subprocess
import time
import urllib.parse

import decisions
from postgres import PASSWORD, Postgres
from site_processes import eventually, free_port


def play(site, browser, redis):
    postgres = Postgres()
    try:
        mistaken(site, postgres)
        site.start(DECISIONS_CACHE=redis.url if redis else "memory://", DECISIONS_DATABASE=postgres.url)
        decisions.page(site, browser)
        decisions.api(site)
        harmless(site, postgres)
        restarted(site, postgres)
        away(site, postgres)
        frozen(site, postgres)
    finally:
        postgres.close()


def mistaken(site, postgres):
    """A URL that leads nowhere ends the program with a sentence, in which there is no password."""
    for url, sentence in [
        ("postgresql://clerk:s3cret@[host/postgres", "no URL of a PostgreSQL server"),
        ("postgresql://clerk:s3cret/@x@host/postgres", "no URL of a PostgreSQL server"),
        (postgres.url.replace("s3cret", "s3creT"), "password authentication failed"),
        (postgres.url.replace(str(postgres.port), str(free_port())), "Connection refused"),
    ]:
        for command in ["serve", "worker"]:
            said = subprocess.run(
                [site.program, command] + (["--port", str(site.port)] if command == "serve" else []),
                cwd=site.folder, env={**site.environment, "DECISIONS_DATABASE": url}, capture_output=True, text=True,
                timeout=20)
            assert said.returncode not in (0, -signal.SIGILL, -signal.SIGTRAP), (url, said)
            assert sentence in said.stderr and "s3cre" not in said.stderr, said.stderr


def harmless(site, postgres):
    for id in ["'; DROP TABLE decision; --", "\0", "$1", "x" * 5_000]:
        assert site.ask("GET", "/decisions/" + urllib.parse.quote(id))[0] == 404, id
    assert int(postgres.rows("SELECT count(*) FROM decision")[0]) > 0


def decide(site, income):
    status, _, text = site.ask("POST", "/decisions", {**decisions.LOAN, "income": income})
    assert status == 200, (status, text)
    return json.loads(text)["id"]


def kept(site, id):
    return site.ask("GET", f"/decisions/{id}")[0] == 200


def restarted(site, postgres):
    known = decide(site, 60_001)
    eventually("it is written", lambda: kept(site, known))
    postgres.stop()
    postgres.start()
    assert kept(site, known), "nobody need know that the connection was cut"
    postgres.stop()
    postgres.start()
    another = decide(site, 60_002)
    eventually("that is written, too", lambda: kept(site, another))
    assert site.ask("POST", "/decisions/bureau", decisions.LOAN)[0] == 202


def away(site, postgres):
    known = decide(site, 60_003)
    eventually("it is written", lambda: kept(site, known))
    postgres.stop()
    for _ in range(3):
        start = time.monotonic()
        status, headers, text = site.ask("GET", f"/decisions/{known}")
        assert status == 503 and headers["Retry-After"] and "cannot be reached" in text, (status, text)
        assert time.monotonic() - start < 2
    # What is answered meanwhile is written once the server is back.
    meanwhile = decide(site, 60_004)
    tickets = [json.loads(site.ask("POST", path, decisions.LOAN)[2])["id"]
               for path in ["/decisions/async", "/decisions/bureau"]]
    time.sleep(3)
    for ticket in tickets:
        assert json.loads(site.ask("GET", f"/statuses/{ticket}")[2])["status"] == "PENDING", site.log()
    postgres.start()
    for id in [meanwhile, *tickets]:
        eventually(f"{id} is written", lambda: kept(site, id), 60)
    for ticket in tickets:
        eventually("it is said so", lambda: json.loads(site.ask("GET", f"/statuses/{ticket}")[2])["status"] == "READY")


def frozen(site, postgres):
    known = decide(site, 60_005)
    eventually("it is written", lambda: kept(site, known))
    postgres.send(signal.SIGSTOP)
    try:
        start = time.monotonic()
        assert site.ask("GET", f"/decisions/{known}")[0] == 503
        assert time.monotonic() - start < 12
        start = time.monotonic()
        meanwhile = decide(site, 60_006)
        assert time.monotonic() - start < 1, "nobody waits for the database"
    finally:
        postgres.send(signal.SIGCONT)
    eventually("it answers again", lambda: kept(site, known) and kept(site, meanwhile))
