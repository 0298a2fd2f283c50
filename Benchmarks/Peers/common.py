# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""What the Python peers share: where Redis is, and the line that says when the first task ran."""

import os
import time

REDIS_URL = os.environ.get("BENCH_REDIS_URL", "redis://localhost:6379/0")
_started = False


def first():
    """Appends the line `F <time>` to the trace, the first time only."""
    global _started
    if not _started:
        _started = True
        with open(os.path.join(os.environ.get("BENCH_DIR", "."), f"trace.{os.getpid()}"), "a") as trace:
            trace.write(f"F {time.time()}\n")
