# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""What Redis itself takes for the same commands: replayed by `redis-cli --pipe`, or pushed by `redis-benchmark`."""

import subprocess
import time
import uuid

BATCH = 256


def resp(*words):
    words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


class Floor:
    """Replays with messages like `message`, a waiting message of Chard's."""

    def __init__(self, server, message):
        self.server = server
        self.message = message

    def drain(self, count):
        """Tasks per second, were there only Redis: LMOVE, LREM, SET with a TTL and PUBLISH for each."""
        self.server.empty()
        messages = [self._message(i) for i in range(count)]
        self._pipe(b"".join(resp("LPUSH", "celery", message) for message in messages))
        lines = []
        for start in range(0, count, BATCH):
            batch = messages[start:start + BATCH]
            lines += [resp("LMOVE", "celery", "leased", "RIGHT", "LEFT") for _ in batch]
            for message in batch:
                key = b"celery-task-meta-" + message[-36:]
                result = (
                    b'{"status": "SUCCESS", "result": 12345, "traceback": null, "children": [], "date_done": '
                    b'"2026-11-21T20:31:53.123456+00:00", "task_id": "%s"}' % message[-36:])
                lines.append(resp("LREM", "leased", -1, message))
                lines.append(resp("SET", key, result, "PX", 86_400_000))
                lines.append(resp("PUBLISH", key, result))
        commands = b"".join(lines)
        cpu = self.server.cpu()
        seconds = self._pipe(commands)
        return {"rate": count / seconds, "broker_us": (self.server.cpu() - cpu) / count * 1e6}

    def push(self, pipeline, count):
        """LPUSH per second by redis-benchmark, one client, `pipeline` commands at a time."""
        self.server.empty()
        done = subprocess.run(
            ["redis-benchmark", "-p", str(self.server.port), "-c", "1", "-P", str(pipeline), "-n", str(count), "--csv",
             "lpush", "celery", self.message.decode()], check=True, stdout=subprocess.PIPE, text=True)
        return float(done.stdout.splitlines()[-1].split(",")[-7].strip('"'))

    def push_bulk(self, count):
        """LPUSH per second through `redis-cli --pipe`."""
        self.server.empty()
        return count / self._pipe(b"".join(resp("LPUSH", "celery", self._message(i)) for i in range(count)))

    def _message(self, i):
        # Alike in length and in their long prefix, unlike in their ids, as real ones are.
        return self.message[:-36] + str(uuid.UUID(int=i)).encode()

    def _pipe(self, commands):
        start = time.perf_counter()
        subprocess.run(
            ["redis-cli", "-p", str(self.server.port), "--pipe"], input=commands, check=True,
            stdout=subprocess.DEVNULL)
        return time.perf_counter() - start
