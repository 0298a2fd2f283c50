# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0
"""Drives the Python side of the interop tests: one subcommand, one line of JSON on standard output.

    drive.py worker [-Q q] [-c 1] [...]     a Celery worker with peer.py's tasks; further options go to `celery worker`
    drive.py call TASK [--args JSON] ...    sends one task and waits for its result
    drive.py result ID                      waits for the result of a task that somebody else sent
    drive.py send-many --count N [...]      sends N tasks, checks every result and, with marks, that each ran once
    drive.py types [-Q q]                   sends every value Celery's JSON can carry through `echo`, compares exactly
    drive.py chord GROUP [--size N] [--end JSON ...]    does for a chord what Celery's client and workers do: says how many
                                            tasks its header has, then counts ends of them, each [id, index, state, result]
    drive.py untold [-Q q]                  what comes of two failures in Celery alone, of which somebody waits in vain
    drive.py canvases [--record]            sends every canvas of canvases.py in every direction, and compares what became of
                                            it with canvases.json; with --record writes that file, from Python alone

TASK without a dot means `<CELERY_NAMESPACE>.TASK`. The environment is that of peer.py.
Exit status: 0 the answer is as it should be (for `call` and `result`: there is one, a FAILURE too), 1 it is not,
2 wrong usage, 3 no answer in time.
"""

import argparse
import json
import os
import sys
import time
import uuid
from collections import Counter, deque
from datetime import date, datetime, time as clock_time, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace

from celery import Celery, chord as celery_chord, group, states
from celery.exceptions import TimeoutError as ResultTimeout
from kombu.utils.json import dumps, loads

import canvases as canvas_library
import peer


def main():
    options, rest = parser().parse_known_args()
    if rest and options.command is not worker:
        parser().error(f"unrecognized arguments: {' '.join(rest)}")
    answer, status = options.command(options, rest)
    print(dumps(answer), flush=True)
    # Without the interpreter's own exit: Celery's results unsubscribe when they are collected, which is too late there
    # and ends in a traceback.
    os._exit(status)


def parser():
    top = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name, function):
        added = commands.add_parser(name)
        added.set_defaults(command=function)
        return added

    one = command("worker", worker)
    one.add_argument("-Q", "--queue", default="celery")
    one.add_argument("-c", "--concurrency", type=int, default=1)

    one = command("call", call)
    one.add_argument("task")
    one.add_argument("--args", type=loads, default=[], metavar="JSON")
    one.add_argument("--kwargs", type=loads, default={}, metavar="JSON")
    one.add_argument("-Q", "--queue")
    one.add_argument("--countdown", type=float)
    one.add_argument("--expires", type=float)
    one.add_argument("--priority", type=int)
    one.add_argument("--options", type=loads, default={}, metavar="JSON", help="anything else that apply_async takes")
    one.add_argument("--protocol", type=int, default=2, choices=(1, 2))
    one.add_argument("--no-wait", action="store_true")
    one.add_argument("--timeout", type=float, default=30)

    one = command("result", result)
    one.add_argument("id")
    one.add_argument("--timeout", type=float, default=30)

    one = command("send-many", send_many)
    one.add_argument("--task", default="add", choices=sorted(WORK))
    one.add_argument("--count", type=int, required=True)
    one.add_argument("-Q", "--queue", default="celery")
    one.add_argument("--count-key", help="the key of `mark`, whose list is emptied first and says who ran what")
    one.add_argument("--timeout", type=float, default=120)

    one = command("chord", chord)
    one.add_argument("group")
    one.add_argument("--size", type=int)
    one.add_argument("--end", type=loads, action="append", default=[], metavar="JSON")

    one = command("untold", untold)
    one.add_argument("-Q", "--queue", default="celery")
    one.add_argument("--timeout", type=float, default=30)

    one = command("canvases", canvases)
    one.add_argument("--record", action="store_true")
    one.add_argument("--only", help="the names of some canvases, with commas between them")
    one.add_argument("--sent", action="append", default=[], metavar="DIRECTION", help="somebody else sends that way")
    one.add_argument("--expect", action="append", default=[], metavar="DIRECTION", help="somebody else will send that way")
    one.add_argument("--timeout", type=float, default=60)

    one = command("types", types)
    one.add_argument("-Q", "--queue", default="celery")
    one.add_argument("--timeout", type=float, default=30)
    return top


def full_name(task):
    return task if "." in task else f"{peer.NAMESPACE}.{task}"


# worker


def worker(options, rest):
    """Becomes the worker, so that signals reach Celery and its exit status is ours."""
    folder = os.path.dirname(os.path.abspath(__file__))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH")]))
    celery = f"-m celery -A peer worker -l INFO --without-mingle -P prefork -c {options.concurrency} -Q {options.queue}"
    os.execv(sys.executable, [sys.executable, *celery.split(), *rest])


# call, result


def call(options, _):
    named = {name: getattr(options, name) for name in ("queue", "countdown", "expires", "priority")}
    client = resultless() if options.no_wait else peer.app
    client.conf.task_protocol = options.protocol
    sent = client.send_task(
        full_name(options.task), options.args, options.kwargs,
        **{name: value for name, value in named.items() if value is not None}, **options.options,
    )
    if options.no_wait:
        return {"id": sent.id, "state": states.PENDING}, 0
    return await_result(sent, options.timeout)


def resultless():
    """A client that does not subscribe to the result of each task it sends: right for one, slow for 10,000."""
    client = Celery("sender", broker=peer.BROKER_URL)
    client.conf.task_serializer = "json"
    client.conf.broker_transport_options = peer.app.conf.broker_transport_options
    return client


def result(options, _):
    return await_result(peer.app.AsyncResult(options.id), options.timeout)


def await_result(awaited, timeout):
    """The outcome as Python sees it, and in `seen` what the task told on its way, pushed to us or found at the end."""
    seen = []

    def note(meta):
        if meta["status"] not in states.READY_STATES:
            seen.append(described(meta["status"], meta["result"]))

    try:
        value = awaited.get(timeout=timeout, propagate=False, on_message=note)
    except ResultTimeout:
        return {"id": awaited.id, "state": awaited.state, "seen": seen, "timed_out": True}, 3
    answer = {"id": awaited.id, **described(awaited.state, value), "seen": seen}
    if awaited.traceback:
        answer["traceback"] = awaited.traceback
    return answer, 0


def described(state, value):
    if isinstance(value, BaseException):
        kind = type(value)
        arguments = [argument if isinstance(argument, (str, int, float)) else repr(argument) for argument in value.args]
        return {"state": state, "exc_type": kind.__name__, "exc_module": kind.__module__, "exc_message": arguments}
    return {"state": state, "result": value}


# send-many

# For task i: its arguments, and the result it must have.
WORK = {
    "add": lambda i, key: ([i, 1], i + 1),
    "echo": lambda i, key: ([i], {"args": [i], "kwargs": {}}),
    "mark": lambda i, key: ([key, i], i),
}


def send_many(options, _):
    if (options.task == "mark") != bool(options.count_key):
        parser().error("send-many: --task mark and --count-key need each other")
    if options.count_key:
        with peer.app.producer_or_acquire() as producer:
            producer.channel.client.delete(peer.mark_key(options.count_key))

    sender = resultless()
    started = time.monotonic()
    expected = {}
    with sender.producer_or_acquire() as producer:
        for i in range(options.count):
            arguments, value = WORK[options.task](i, options.count_key)
            sent = sender.send_task(full_name(options.task), arguments, queue=options.queue, producer=producer)
            expected[sent.id] = value
    send_seconds = time.monotonic() - started

    answer = {"sent": len(expected), **check_results(expected, started + options.timeout)}
    answer["seconds"] = round(time.monotonic() - started, 3)
    answer["send_seconds"] = round(send_seconds, 3)
    right = answer["ok"] == options.count
    if options.count_key:
        answer.update(check_marks(options.count_key, options.count))
        right = right and answer["runs"] == options.count and answer["repeated"] == 0
    return answer, 0 if right else 1


def check_results(expected, deadline):
    """Reads the statuses of all `expected` ids, the oldest first, until all are final or the deadline is reached."""
    backend = peer.app.backend
    pending, ok, problems = deque(expected), 0, []
    while pending and time.monotonic() < deadline:
        ids = [pending.popleft() for _ in range(min(500, len(pending)))]
        waiting = []
        for id, stored in zip(ids, backend.mget([backend.get_key_for_task(id) for id in ids])):
            meta = stored and json.loads(stored)
            if not meta or meta["status"] not in states.READY_STATES:
                waiting.append(id)
            elif (meta["status"], meta["task_id"]) == (states.SUCCESS, id) and same(meta["result"], expected[id]):
                ok += 1
            else:
                problems.append({"expected": expected[id], "stored": meta})
        if len(waiting) < len(ids):
            pending.extendleft(reversed(waiting))
        else:
            # Not one more of these: look at others meanwhile, a lost one must not hide them.
            pending.extend(waiting)
            time.sleep(0.02)
    return {"ok": ok, "wrong": len(problems), "missing": len(pending), "problems": problems[:5]}


def check_marks(key, count):
    with peer.app.producer_or_acquire() as producer:
        entries = [json.loads(entry) for entry in producer.channel.client.lrange(peer.mark_key(key), 0, -1)]
    values = Counter(entry["value"] for entry in entries)
    return {
        "runs": len(entries),
        "repeated": sum(1 for n in values.values() if n > 1),
        "never_ran": sum(1 for i in range(count) if i not in values),
        "by_pid": dict(Counter(str(entry["pid"]) for entry in entries)),
    }


# types

DEEP = "bottom"
for level in range(60):
    DEEP = [DEEP] if level % 2 else {"deeper": DEEP}

VALUES = {
    "null": None, "true": True, "false": False,
    "zero": 0, "minus one": -1, "largest int64": 2**63 - 1, "smallest int64": -(2**63), "uint64": 2**64 - 1,
    "2**53+1": 2**53 + 1, "2**70": 2**70, "-2**70": -(2**70), "10**400": 10**400,
    "1.0": 1.0, "-0.0": -0.0, "0.1": 0.1, "1e16": 1e16, "1e22": 1e22, "largest float": 1.7976931348623157e308,
    "smallest float": 5e-324, "nan": float("nan"), "inf": float("inf"), "-inf": float("-inf"),
    "empty text": "", "ascii": "plain", "escapes": "\"\\/\b\f\n\r\t", "controls": "".join(map(chr, range(32))) + "\x7f",
    "unicode": "žluťoučký kůň, 日本語, مرحبا", "beyond the BMP": "🥬 𝄞 👩‍🔬", "not normalized": "e\u0301 \u00e9",
    "line separators": "\u2028\u2029\ufeff", "noncharacter": "\uffff", "lone surrogate": "\ud800",
    "two low": "a\udc00\udc00z",
    "empty list": [], "empty object": {}, "mixed": [1, 1.0, "1", True, None, [], {}], "deep": DEEP,
    "keys": {"": 0, "a.b": 1, "ключ": 2, "__type__": "alone", "1": "one", "a\u0000b": 3},
    "aware": datetime(2026, 11, 21, 20, 31, 53, 624442, tzinfo=timezone.utc),
    "offset": datetime(2026, 2, 28, 23, 59, 59, tzinfo=timezone(timedelta(hours=5, minutes=45))),
    "west": datetime(1969, 12, 31, 12, 0, 0, 1, tzinfo=timezone(-timedelta(hours=9, minutes=30))),
    "naive": datetime(2026, 11, 21, 20, 31, 53, 1), "naive, whole seconds": datetime(2024, 2, 29),
    "first datetime": datetime(1, 1, 1), "last datetime": datetime(9999, 12, 31, 23, 59, 59, 999999),
    "date": date(2024, 2, 29), "time": clock_time(20, 31, 53, 624442), "midnight": clock_time(),
    "time with offset": clock_time(7, 5, tzinfo=timezone(timedelta(hours=2))),
    "decimal": Decimal("1234567890.123456789012345678901234567890"), "decimal 1.10": Decimal("1.10"),
    "decimal 1E+5": Decimal("1E+5"), "decimal -0": Decimal("-0.00"), "decimal NaN": Decimal("NaN"),
    "uuid": uuid.UUID("00112233-4455-6677-8899-aabbccddeeff"),
    "bytes of text": "grün".encode(), "no bytes": b"", "binary": bytes(range(256)),
    "typed and nested": {"when": [date(2026, 1, 1), {"sum": Decimal("0.10")}], "raw": [b"\x00\xff"]},
}


def types(options, _):
    """Each value goes by position and by name, in a message of its own, so that one failure hides no other."""
    sent = {
        name: peer.app.send_task(full_name("echo"), [value], {"value": value}, queue=options.queue)
        for name, value in VALUES.items()
    }
    deadline = time.monotonic() + options.timeout
    differences, missing = [], []
    for name, awaited in sent.items():
        wanted = {"args": [VALUES[name]], "kwargs": {"value": VALUES[name]}}
        try:
            got = awaited.get(timeout=max(0.01, deadline - time.monotonic()), propagate=False)
        except ResultTimeout:
            missing.append(name)
            continue
        if not same(got, wanted):
            differences.append({"value": name, "sent": repr(wanted)[:500], "got": repr(got)[:500]})
    answer = {"ok": not differences and not missing, "compared": len(sent) - len(missing)}
    if differences:
        answer["differences"] = differences
    if missing:
        answer["missing"] = missing
    return answer, 3 if missing else 1 if differences else 0


def same(one, other):
    """Equal in kind and in every digit: 1 is not 1.0, 1.10 is not 1.1, and NaN is NaN. The order of keys is free."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return repr(one) == repr(other)


# chord


def chord(options, _):
    """The last of the ends sends the body, `echo` with the id `body`, to the queue `bodies`."""
    backend = peer.app.backend
    if options.size is not None:
        backend.set_chord_size(options.group, options.size)
    body = peer.app.signature(full_name("echo"), task_id="body", queue="bodies")
    for id, index, state, result in options.end:
        request = SimpleNamespace(id=id, group=options.group, group_index=index, chord=dict(body))
        backend.on_chord_part_return(request, state, result if state == states.SUCCESS else ValueError(result))
    return {"ok": True}, 0


# untold


def untold(options, _):
    """A chord in a chord's header whose own header fails: `Backend.chord_error_from_stack` stores the failure of its body, and does
    not count it for the outer chord. And a group at the end of a chain that fails: `Backend._fail_chain` stores the failure under
    the id of the group, and not under those of its members. The states, once everything has run and three seconds have passed."""

    def part(name, *arguments):
        return peer.app.signature(full_name(name), args=arguments, queue=options.queue)

    outer = celery_chord(
        [celery_chord([part("fail"), part("add", 1, 1)], part("xsum")), part("add", 2, 2)], part("xsum"))
    nested = outer.apply_async()
    inner = nested.parent.results[0]
    last = (part("fail") | group(part("add", 1), part("add", 1))).apply_async()
    deadline = time.monotonic() + options.timeout
    awaited = [inner, nested.parent.results[1], last.parent]
    while not all(result.ready() for result in awaited):
        if time.monotonic() > deadline:
            return {"states": [result.state for result in awaited], "timed_out": True}, 3
        time.sleep(0.1)
    time.sleep(3)
    return {"inner": inner.state, "outer": nested.state, "members": [member.state for member in last.results]}, 0


# canvases

# The queues that the parts of a canvas go to, in turn; only a Swift worker reads `swift`, only a Python worker `python`.
DIRECTIONS = {
    "python": ["python"], "to-swift": ["swift"], "python-first": ["python", "swift"], "swift-first": ["swift", "python"],
}
GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "canvases.json")


def canvases_to_compare(options):
    """The canvases and what is to become of them, each in each direction."""
    with open(GOLDEN) as file:
        golden = json.load(file)
    names = options.only.split(",") if options.only else list(golden)
    return {name: golden[name] for name in names}


def canvases(options, _):
    redis = peer.app.connection_for_write().default_channel.client
    if options.record:
        return record(options, redis)
    golden = canvases_to_compare(options)
    directions = options.sent or list(DIRECTIONS)
    wanted = {f"{way}/{name}": report for way in directions for name, report in golden.items()}
    if not options.sent:
        peer.app.control.revoke(
            [f"{way}/{name}.gone" for way in (*DIRECTIONS, *options.expect) for name in golden if "revoked" in name], reply=True)
        for prefix in wanted:
            way, name = prefix.split("/")
            canvas_library.send(name, way, DIRECTIONS[way], redis)
    else:
        # Not every canvas can be written there.
        wanted = {prefix: report for prefix, report in wanted.items() if redis.exists(canvas_library.sent_key(prefix))}
    deadline = time.monotonic() + options.timeout
    differences = {}
    # Until they are equal, and then once more when nothing is left that could still change them.
    while True:
        is_over = time.monotonic() > deadline
        is_quiet = not any(redis.llen(queue) for queue in ("python", "swift", "celery"))
        differences = {}
        for prefix, report in wanted.items():
            way, name = prefix.split("/")
            found = canvas_library.report(prefix, redis)
            difference = differing(found, report)
            if way != "python":
                difference = [one for one in difference if not canvas_library.is_meant(name, found, one)]
            if difference:
                differences[prefix] = difference
        if is_over or (is_quiet and not differences):
            break
        time.sleep(0.1)
    return {"compared": len(wanted), "differences": differences}, 1 if differences else 0


def record(options, redis):
    names = options.only.split(",") if options.only else list(canvas_library.CANVASES)
    peer.app.control.revoke([f"python/{name}.gone" for name in names if "revoked" in name], reply=True)
    for name in names:
        canvas_library.send(name, "python", ["python"], redis)
    before, since = None, time.monotonic()
    while time.monotonic() - since < 3:
        reports = {name: canvas_library.report(f"python/{name}", redis) for name in names}
        if reports != before:
            before, since = reports, time.monotonic()
        time.sleep(0.1)
    golden = {}
    if options.only and os.path.exists(GOLDEN):
        with open(GOLDEN) as file:
            golden = json.load(file)
    golden.update(before)
    with open(GOLDEN, "w") as file:
        file.write(compact(golden) + "\n")
    return {"recorded": len(before)}, 0


def compact(value, depth=0):
    """JSON with a line for each run and status."""
    if not isinstance(value, dict) or depth > 3 or not value:
        return json.dumps(value)
    inner = ",\n".join(f"{' ' * (depth + 1)}{json.dumps(key)}: {compact(element, depth + 1)}" for key, element in value.items())
    return "{\n" + inner + "\n" + " " * depth + "}"


def differing(one, other, path=""):
    """Where two values differ: the path, what is there, and what was to be there."""
    if isinstance(one, dict) and isinstance(other, dict):
        found = []
        for key in sorted({*one, *other}):
            found += differing(one.get(key), other.get(key), f"{path}/{key}")
        return found
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [item for number, pair in enumerate(zip(one, other)) for item in differing(*pair, f"{path}/{number}")]
    return [] if same(one, other) else [{"at": path, "is": one, "celery": other}]


if __name__ == "__main__":
    main()
