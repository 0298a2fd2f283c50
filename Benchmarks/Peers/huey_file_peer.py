# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""huey's side of the benchmark on a SQLite file: `client.py huey_file_peer`."""

import os

from huey import SqliteHuey

huey = SqliteHuey("bench", filename=os.environ["BENCH_FILE"], fsync=os.environ["BENCH_FSYNC"] == "1")


@huey.task()
def echo(i, payload=None):
    return i


def send(i, payload):
    echo(i) if payload is None else echo(i, payload)


def connect():
    huey.pending_count()
