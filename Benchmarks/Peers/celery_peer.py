# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""Celery's side of the benchmark: `celery -A celery_peer worker`, and `client.py celery_peer`."""

import time

from celery import Celery, chain as link, chord as join

import common

app = Celery("bench", broker=common.REDIS_URL, backend=common.REDIS_URL)
app.conf.update(result_expires=86_400, worker_send_task_events=False)


@app.task(name="echo")
def echo(i, payload=None):
    common.first()
    return i


@app.task(name="now")
def now():
    return time.time()


@app.task(name="total")
def total(values):
    return len(values)


def send(i, payload):
    echo.delay(i) if payload is None else echo.delay(i, payload)


def call():
    return now.delay().get(timeout=10)


def chord(count):
    """Returns when all was sent, and a way to wait for the body."""
    return join([echo.s(i) for i in range(count)])(total.s())


def chain(count):
    return link(echo.s(1), *(echo.s() for _ in range(count - 1))).delay()


def connect():
    app.connection_for_write().ensure_connection()
