# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""The commands of chard-bench-peer for a Python peer: `client.py celery_peer enqueue --count 1000`.

The peer is a module with `connect()`, which reaches the broker, `send(i, payload)`, which sends one echo, and `call()`,
which returns when a `now` ran. For workflows it has `chord(count)` and `chain(count)`, whose result is waited for."""

import argparse
import importlib
import json
import random
import time


def enqueue(peer, count, payload):
    payload = "x" * payload if payload else None
    start, cpu = time.perf_counter(), time.process_time()
    for i in range(count):
        peer.send(i, payload)
    seconds = time.perf_counter() - start
    return {"n": count, "seconds": seconds, "cpu": time.process_time() - cpu, "how": "one"}


def latency(peer, samples):
    starts, results = [], []
    end = time.time() + 60
    while len(starts) < samples and time.time() < end:
        time.sleep(random.uniform(0.005, 0.05))
        sent, clock = time.time(), time.perf_counter()
        ran = peer.call()
        results.append((time.perf_counter() - clock) * 1000)
        starts.append((ran - sent) * 1000)
    return {"start": starts, "result": results}


def workflow(send, count):
    start = time.perf_counter()
    result = send(count)
    sent = time.perf_counter()
    result.get(timeout=600)
    return {"n": count, "sent": sent - start, "seconds": time.perf_counter() - start}


parser = argparse.ArgumentParser()
parser.add_argument("peer", type=importlib.import_module)
parser.add_argument("command", choices=["enqueue", "latency", "chord", "chain"])
parser.add_argument("--count", type=int)
parser.add_argument("--payload", type=int, default=0)
parser.add_argument("--samples", type=int)
arguments = parser.parse_args()
arguments.peer.connect()
if arguments.command == "enqueue":
    print(json.dumps(enqueue(arguments.peer, arguments.count, arguments.payload)))
elif arguments.command in ("chord", "chain"):
    print(json.dumps(workflow(getattr(arguments.peer, arguments.command), arguments.count)))
else:
    print(json.dumps(latency(arguments.peer, arguments.samples)))
