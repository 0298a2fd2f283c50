# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0
"""Drives Flower over HTTP, as somebody with a browser does, on two Swift workers and a Python one; prints as JSON what it saw.

    flower_pages.py URL

It ends the worker two@swift at last.
"""

import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from peer import app

BASE = sys.argv[1]
ONE, PYTHON, TWO = "one@swift", "py@python", "two@swift"
seen = {"buttons": {}, "missing on pages": []}


def http(path, data=None):
    """The status and the text of a page; of a button, where there is data."""
    body = None if data is None else urllib.parse.urlencode(data).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(BASE + path, data=body), timeout=30) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def eventually(what, condition, limit=60):
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        try:
            value = condition()
        except (OSError, ValueError) as error:
            value = None
            print(f"{what}: {error}", file=sys.stderr)
        if value:
            return value
        time.sleep(0.3)
    print(f"waited in vain until {what}", file=sys.stderr)
    return None


def get(path):
    status, text = http(path)
    if status != 200:
        raise ValueError(f"{path}: {status} {text[:300]}")
    return json.loads(text)


def page(name, path, *expected):
    status, text = http(path)
    seen[name] = status
    seen["missing on pages"] += [f"{name}: {word}" for word in expected if word not in text]
    if status != 200:
        print(f"{path}: {status} {text[:2000]}", file=sys.stderr)


def button(name, path, **data):
    status, text = http(path, data)
    seen["buttons"][name] = status
    if status != 200:
        print(f"{path}: {status} {text[:1000]}", file=sys.stderr)


def worker(name):
    return get(f"/api/workers?refresh=1&workername={name}").get(name, {})


# Workers appear by the events that Flower asks for.
everybody = lambda: sorted(get("/api/workers?refresh=1")) == sorted([ONE, PYTHON, TWO])
eventually("all workers are there", everybody)
seen["workers"] = sorted(get("/api/workers"))


def online():
    status, text = http("/workers?json=1")
    rows = json.loads(text)["data"] if status == 200 else []
    return {row["hostname"] for row in rows if row.get("status")} >= {ONE, TWO, PYTHON}


eventually("all workers are online", online)
page("workers page", "/workers", ONE, TWO, PYTHON)
eventually("the worker's page is there", lambda: http(f"/worker/{ONE}")[0] == 200)
page("worker page", f"/worker/{ONE}", ONE, "interop.add", "Shut Down")

# A task that a Swift worker runs: the queue "swift" is none of the Python worker's.
button("add consumer", f"/api/worker/queue/add-consumer/{ONE}", queue="swift")
serves = lambda: "swift" in [queue["name"] for queue in worker(ONE).get("active_queues", [])]
eventually("the worker serves the queue", serves)


def seen_task():
    """Flower tells workers each five seconds to send events: a task that ran before is not seen."""
    call = app.send_task("interop.add", (2, 3), queue="swift")
    call.get(timeout=30)
    succeeded = lambda: (lambda task: task.get("state") == "SUCCESS" and task)(get(f"/api/task/info/{call.id}"))
    return eventually("the task is seen", succeeded, limit=2)


seen["task"] = eventually("a task is seen", seen_task)
call = app.AsyncResult(seen["task"]["uuid"])
page("task page", f"/task/{call.id}", call.id, "interop.add", "(2, 3)", "SUCCESS")
page("tasks page", "/tasks")
columns = "name uuid state args kwargs result received started runtime worker".split()
query = {"draw": 1, "start": 0, "length": 100, "search[value]": "", "order[0][column]": 0, "order[0][dir]": "asc"}
query |= {f"columns[{index}][data]": name for index, name in enumerate(columns)}
rows = json.loads(http("/tasks/datatable", query)[1])["data"]
seen["missing on pages"] += [] if any(row["uuid"] == call.id and row["args"] == "(2, 3)" for row in rows) else [f"{rows}"]

running = app.send_task("interop.sleepy", (60,), queue="swift")
starts = lambda: running.id in [task["id"] for task in worker(ONE).get("active", [])]
eventually("the long task runs", starts)
button("terminate", f"/api/task/revoke/{running.id}", terminate="true")
eventually("it is terminated", lambda: running.state == "REVOKED")
seen["terminated"] = running.state
delayed = app.send_task("interop.add", (1, 1), countdown=600, queue="swift")
button("revoke", f"/api/task/revoke/{delayed.id}")

button("cancel consumer", f"/api/worker/queue/cancel-consumer/{ONE}", queue="swift")
button("grow", f"/api/worker/pool/grow/{ONE}", n=3)
button("shrink", f"/api/worker/pool/shrink/{ONE}", n=2)
button("autoscale", f"/api/worker/pool/autoscale/{ONE}", min=2, max=6)
button("rate limit", "/api/task/rate-limit/interop.mul", workername=ONE, ratelimit="10/s")
button("time limit", "/api/task/timeout/interop.mul", workername=ONE, soft=5, hard=9)
only = lambda: [queue["name"] for queue in worker(ONE).get("active_queues", [])] == ["celery"]
eventually("the queue is served no more", only)
seen["concurrency"] = worker(ONE)["stats"]["pool"]["max-concurrency"]
seen["queues"] = [queue["name"] for queue in worker(ONE)["active_queues"]]

page("broker page", "/broker", "celery")
queues = get("/api/queues/length")["active_queues"]
seen["queue length"] = {queue["name"]: queue["messages"] for queue in queues}.get("celery")
button("shutdown", f"/api/worker/shutdown/{TWO}")
print(json.dumps(seen))
