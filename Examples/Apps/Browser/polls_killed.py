# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""Web server and worker of polls are killed again and again while hundreds of polls are made and close: each closes once."""

import datetime
import random
import sqlite3
import time
import urllib.parse

from polls import local
from site_processes import answers, eventually

COUNT = 500


def play(site, browser, redis):
    site.start()
    database = site.folder / "polls.sqlite"
    with sqlite3.connect(database) as db:
        db.execute("CREATE TABLE closing (poll INTEGER, at TEXT)")
        db.execute("""CREATE TRIGGER closes AFTER UPDATE OF closedAt ON poll
            BEGIN INSERT INTO closing VALUES (new.id, new.closedAt); END""")
    kills, made = 0, 0
    begun = time.monotonic()
    while made < COUNT:
        question = f"question=Q{made}&choices=a%0Ab&closesAt={urllib.parse.quote(local(random.uniform(3, 12)))}"
        try:
            site.ask("POST", "/polls", f"{question}&offset={utc_offset()}".encode(),
                     {"Content-Type": "application/x-www-form-urlencoded"})
            made += 1
        except OSError:
            pass
        if random.random() < 0.01:
            kills += kill_one(site)
    while time.monotonic() - begun < 25:
        time.sleep(random.uniform(0.5, 2))
        kills += kill_one(site)

    def state():
        with sqlite3.connect(database) as db:
            return (db.execute("SELECT count(*) FROM poll WHERE closedAt IS NULL").fetchone()[0],
                    db.execute("SELECT count(*) FROM poll").fetchone()[0])
    # A lost task runs again within 20 s; one that a killed web server has left in doubt is sent 15 s later.
    eventually("all polls are closed", lambda: state()[0] == 0, within=60)
    with sqlite3.connect(database) as db:
        twice = db.execute("SELECT poll, count(*) FROM closing GROUP BY poll HAVING count(*) > 1").fetchall()
        early = db.execute("SELECT count(*) FROM poll WHERE closedAt < closesAt").fetchone()[0]
    assert not twice and not early, (twice, early)
    assert state()[1] >= COUNT, state()
    print(f"      {state()[1]} polls, {kills} kills: each closed once, none before its time", flush=True)


def kill_one(site):
    """Kills one of both, and starts it again."""
    if random.random() < 0.5:
        site.web.kill()
        site.web.wait()
        site.web = site._spawn("serve", "--no-worker", "--port", str(site.port))
        eventually("the site answers", lambda: answers(site.port))
    else:
        site.worker.kill()
        site.worker.wait()
        site.start_worker()
    return 1


def utc_offset():
    return -int(datetime.datetime.now().astimezone().utcoffset().total_seconds() / 60)
