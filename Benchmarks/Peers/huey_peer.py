# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""huey's side of the benchmark: `huey_consumer huey_peer.huey`, and `client.py huey_peer`."""

import time

from huey import RedisHuey

import common

huey = RedisHuey("bench", url=common.REDIS_URL)


@huey.task()
def echo(i, payload=None):
    common.first()
    return i


@huey.task()
def now():
    return time.time()


def send(i, payload):
    echo(i) if payload is None else echo(i, payload)


def call():
    return now().get(blocking=True, timeout=10)


def connect():
    huey.storage.conn.ping()
