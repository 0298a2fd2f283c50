# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""The tasks of Examples/Apps' polls in Python: on one queue, every worker has to know every task."""

import datetime
import os
import sqlite3

from celery import Celery
from celery.utils.log import get_task_logger

app = Celery("polls", broker=os.environ["CHARD_BROKER_URL"])
# A task whose worker is killed runs again, as it would in Swift.
app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True, task_ignore_result=True)
log = get_task_logger("polls")


@app.task(name="polls.close")
def close(poll):
    """Closes a poll, at its time."""
    if change("UPDATE poll SET closedAt = ? WHERE id = ? AND closedAt IS NULL", now(), poll):
        log.info("poll %s is closed", poll)


@app.task(name="polls.forget")
def forget(days=30):
    """Removes polls that were closed long ago."""
    count = change("DELETE FROM poll WHERE closedAt < ?", now(-days))
    log.info("%d polls that were closed %d days ago are forgotten", count, days)


def change(statement, *values):
    """Changes the web server's database. Returns how many rows have changed."""
    connection = sqlite3.connect(os.environ["POLLS_DATABASE"], timeout=10)
    try:
        with connection:
            connection.execute("PRAGMA foreign_keys = ON")
            return connection.execute(statement, values).rowcount
    finally:
        connection.close()


def now(days=0):
    """A time as the web server writes it."""
    time = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return time.strftime("%Y-%m-%d %H:%M:%S.") + f"{time.microsecond // 1000:03}"
