# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""What happened when, as lines for people."""

import threading
import time


class Journal:
    def __init__(self):
        self.start = time.monotonic()
        self.turn = threading.Lock()

    def title(self, text):
        with self.turn:
            print(f"\n{text}\n{'-' * len(text)}", flush=True)

    def note(self, who, text):
        with self.turn:
            print(f"{time.monotonic() - self.start:7.2f} s  {who:<14} {text}", flush=True)


def eventually(what, condition, within=30.0):
    """Waits for a condition; returns what it comes to."""
    deadline = time.monotonic() + within
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {within:.0f} s in vain until {what}")
        time.sleep(0.1)
    return value
