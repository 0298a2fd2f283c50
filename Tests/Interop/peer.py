# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0
"""The Python peer: a real Celery app whose tasks mirror those of Examples/Interop, name by name.

Environment: BROKER_URL (default redis://127.0.0.1:6379/0), RESULT_URL (default: the broker), CELERY_NAMESPACE (default
interop), BROKER_TRANSPORT_OPTIONS (JSON), DIES_BEFORE_BODY (a worker is killed when it would send the body of a chord).
All settings that are not named here are Celery's defaults, because a user's app has those too.
"""

import builtins
import json
import os
import re
import signal
import sys
import time

from celery import Celery
from celery.backends.redis import RedisBackend
from celery.exceptions import Ignore, Reject
from kombu.utils.json import dumps

BROKER_URL = os.environ.get("BROKER_URL", "redis://127.0.0.1:6379/0")
RESULT_URL = os.environ.get("RESULT_URL", BROKER_URL)
NAMESPACE = os.environ.get("CELERY_NAMESPACE", "interop")

app = Celery("peer", broker=BROKER_URL, backend=RESULT_URL)
app.conf.update(
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
    broker_connection_retry_on_startup=True,
    broker_transport_options=json.loads(os.environ.get("BROKER_TRANSPORT_OPTIONS", "{}")),
)


def task(function=None, **options):
    """`app.task` that gives the task the name its Swift twin has."""

    def register(function):
        return app.task(name=f"{NAMESPACE}.{function.__name__}", **options)(function)

    return register(function) if function else register


def mark_key(key):
    # The same text whatever the namespace is, so that both peers write to one list.
    return f"interop:{key}"


def push_mark(key, value):
    entry = json.dumps({"value": value, "time": time.time(), "pid": os.getpid()})
    with app.producer_or_acquire() as producer:
        producer.channel.client.rpush(mark_key(key), entry)


@task
def add(x, y):
    return x + y


@task
def mul(x, y):
    return x * y


@task
def xsum(numbers):
    return sum(numbers)


@task
def fail(message="boom", kind="ValueError"):
    error = getattr(builtins, kind, None)
    if not (isinstance(error, type) and issubclass(error, Exception)):
        error = getattr(sys.modules[__name__], kind)
    raise error(message)


def __getattr__(name):
    """Makes an exception class for any capitalized name that this module lacks.

    `fail` may be asked for a kind that Python has not. Such a class must be found under its name in every process that
    handles the failure, or Celery wraps it in a substitute of another name.
    """
    if not name[:1].isupper():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals().setdefault(name, type(name, (Exception,), {"__module__": __name__}))


@task(bind=True, max_retries=None)
def retry_then_ok(self, times=2, countdown=0.2):
    if self.request.retries < times:
        raise self.retry(exc=RuntimeError("not yet"), countdown=countdown)
    return self.request.retries


@task
def sleepy(seconds, value=None):
    time.sleep(seconds)
    return value


@task
def echo(*args, **kwargs):
    return {"args": list(args), "kwargs": kwargs}


@task(bind=True)
def progress(self, steps=3, delay=0.2):
    for step in range(1, steps + 1):
        self.update_state(state="PROGRESS", meta={"current": step, "total": steps})
        time.sleep(delay)
    return steps


@task
def big(n):
    return "x" * n


@task
def mark(key, value=None):
    push_mark(key, value)
    return value


@task
def mark_sleep(key, seconds, value=None):
    push_mark(key, value)
    time.sleep(seconds)
    push_mark(f"{key}:done", value)
    return value


@task(bind=True)
def info(self):
    fields = (
        "id root_id parent_id group group_index eta expires retries timelimit reply_to correlation_id origin lang "
        "shadow argsrepr kwargsrepr delivery_info hostname headers"
    )
    return {field: getattr(self.request, field, None) for field in fields.split()}


# Only a task that acknowledges late can give its message back.
@task(acks_late=True)
def reject(requeue=False):
    raise Reject("rejected", requeue=requeue)


@task
def ignore():
    raise Ignore()


# Parts of canvases: see canvases.py. Their last argument, or the one named `spec`, says what they are called and what they
# do; where there is none, they are called after the canvas that their input came from.


def text(value):
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{', '.join(map(text, value))}]"
    return json.dumps(value)


def opened(request, args, kwargs):
    """Notes that a part runs, and with what. Returns its spec, and its result: what it was called with, as text."""
    kwargs = dict(kwargs)
    spec = kwargs.pop("spec", None)
    if spec is None and args and isinstance(args[-1], dict):
        *args, spec = args
    given = [text(value) for value in args] + [f"{name}={text(value)}" for name, value in sorted(kwargs.items())]
    result = f"({', '.join(given)})"
    spec = spec or {"label": re.search(r"[\w/-]+\.", result)[0] + "each"}
    entry = {"label": spec["label"], "by": "python"}
    for field in "id root_id parent_id group group_index retries stamps stamped_headers headers".split():
        entry[field] = getattr(request, field, None)
    for field in "callbacks errbacks chain chord".split():
        entry[field] = getattr(request, field, None)
    with app.producer_or_acquire() as producer:
        producer.channel.client.rpush(f"interop:runs:{spec['label'].split('.')[0]}", dumps(entry))
    return spec, spec["label"] + result


@task(bind=True, max_retries=None)
def step(self, *args, **kwargs):
    spec, result = opened(self.request, args, kwargs)
    if self.request.retries < spec.get("retry", 0):
        raise self.retry(exc=RuntimeError("not yet"), countdown=0.05)
    if spec.get("fail"):
        raise ValueError(spec["label"])
    return result


# So many arguments and no more: Celery then sends it as a task with the failed id, instead of calling it in the process of
# the failure.
@task(bind=True)
def caught(self, failed_id, spec):
    return opened(self.request, [failed_id, spec], {})[1]


@task(bind=True)
def swap(self, *args, **kwargs):
    """Puts the signature `with` in its own place."""
    spec, _ = opened(self.request, args, kwargs)
    raise self.replace(app.signature(spec["with"]))


@task(bind=True)
def grow(self, *args, **kwargs):
    """Adds the signature `with` to the chord that it is a part of."""
    spec, result = opened(self.request, args, kwargs)
    self.add_to_chord(app.signature(spec["with"]))
    return result


# A part of random workflows: see WorkflowTree.swift, which says what it makes of its input.
@app.task(name="tree", bind=True, max_retries=2)
def tree(self, given, name, salt, fate):
    def folded(value):
        if not isinstance(value, list):
            return value if isinstance(value, int) else 0
        total = 7
        for place, element in enumerate(value, 1):
            total = (total + place * folded(element)) % 1_000_003
        return total

    if fate == 1 or fate == 2 and self.request.retries < 2:
        raise self.retry(exc=RuntimeError("as drawn"), countdown=0.01)
    push_mark("trees", name)
    return (31 * folded(given) + salt) % 1_000_003


if os.environ.get("DIES_BEFORE_BODY"):

    def die(*_):
        """As a worker that is killed once it has claimed the body of a chord, acknowledged the member, and sent nothing."""
        while app.backend.client.exists("unacked"):
            time.sleep(0.01)
        for process in os.getppid(), os.getpid():
            os.kill(process, signal.SIGKILL)

    RedisBackend._chord_publish_claim_expires = die


# One argument: Celery then sends it as a task with the failed id, instead of calling it in the process of the failure.
@task
def on_error(failed_id):
    push_mark("on_error", failed_id)
