# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""What Redis itself takes for the same commands: replayed by `redis-cli --pipe`, or pushed by `redis-benchmark`."""

import random
import socket
import subprocess
import sys
import time
import uuid

BATCH = 256


def resp(*words):
    words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


class Socket:
    """A connection for commands whose answers come in one piece."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, command):
        self.socket.sendall(command)
        return self.socket.recv(65_536)


ECHO = """
import socket, sys, time
connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
take = b"*6\\r\\n$6\\r\\nBLMOVE\\r\\n$6\\r\\ncelery\\r\\n$6\\r\\nleased\\r\\n$5\\r\\nRIGHT\\r\\n$4\\r\\nLEFT\\r\\n$1\\r\\n0\\r\\n"
while True:
    connection.sendall(take)
    connection.recv(65_536)
    now = repr(time.time()).encode()
    connection.sendall(b"*3\\r\\n$5\\r\\nLPUSH\\r\\n$7\\r\\nanswers\\r\\n$%d\\r\\n%s\\r\\n" % (len(now), now))
    connection.recv(65_536)
"""


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

    def latency(self, samples):
        """Two plain sockets: one process waits in BLMOVE and answers with a push, the other one sends and waits for it."""
        self.server.empty()
        echo = subprocess.Popen([sys.executable, "-c", ECHO, str(self.server.port)])
        send, wait = (Socket(self.server.port) for _ in range(2))
        start, result = [], []
        for i in range(samples + 1):
            time.sleep(random.uniform(0.005, 0.05))
            sent = time.time()
            send.ask(resp("LPUSH", "celery", self.message))
            ran = float(wait.ask(resp("BRPOP", "answers", 0)).split(b"\r\n")[4])
            # Not the first, for which the other process has yet to start.
            if i > 0:
                start.append((ran - sent) * 1000)
                result.append((time.time() - sent) * 1000)
        echo.kill()
        echo.wait()
        return {"start": start, "result": result}

    def _message(self, i):
        # Alike in length and in their long prefix, unlike in their ids, as real ones are.
        return self.message[:-36] + str(uuid.UUID(int=i)).encode()

    def _pipe(self, commands):
        start = time.perf_counter()
        subprocess.run(
            ["redis-cli", "-p", str(self.server.port), "--pipe"], input=commands, check=True,
            stdout=subprocess.DEVNULL)
        return time.perf_counter() - start
