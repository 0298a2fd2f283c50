# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""A worker process, and what it costs."""

import glob
import os
import signal
import subprocess
import time


class Worker:
    def __init__(self, server, command, directory=None, **environment):
        for trace in glob.glob(f"{server.directory}/trace.*"):
            os.remove(trace)
        self.server = server
        self.began = time.time()
        self.process = subprocess.Popen(
            command, cwd=directory, env=server.environment(**environment),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)

    def pids(self):
        """This process and its children: Celery's work in another one."""
        pids, all_pids = [self.process.pid], []
        while pids:
            pid = pids.pop()
            all_pids.append(pid)
            for path in glob.glob(f"/proc/{pid}/task/*/children"):
                try:
                    pids += [int(child) for child in open(path).read().split()]
                except OSError:
                    pass
        return all_pids

    def cpu(self):
        ticks = 0
        for pid in self.pids():
            try:
                fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
                ticks += int(fields[11]) + int(fields[12])
            except OSError:
                pass
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self, field):
        """`VmRSS` or `VmHWM` of all processes together, in bytes."""
        total = 0
        for pid in self.pids():
            try:
                for line in open(f"/proc/{pid}/status"):
                    if line.startswith(field + ":"):
                        total += int(line.split()[1]) * 1024
            except OSError:
                pass
        return total

    def first(self, timeout=60):
        """When the first task ran, in seconds since 1970."""
        end = time.time() + timeout
        while time.time() < end:
            for trace in glob.glob(f"{self.server.directory}/trace.*"):
                line = open(trace).readline()
                if line.endswith("\n"):
                    return float(line.split()[1])
            if self.process.poll() is not None:
                raise SystemExit(f"the worker {self.process.args} ended with {self.process.returncode}")
            time.sleep(0.0005)
        raise SystemExit(f"the worker {self.process.args} runs nothing")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
