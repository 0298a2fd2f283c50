# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""Runs a program in a root made of nothing but the Dockerfile's last stage: its base, its packages, its user.

    minimal_root.py --program .build-staging/release/polls --root .build-staging/root

As nobody, with a read-only root and as the first process, beside a real Redis. Needs root, for mounts and the change of root.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile

from dockerfile import Dockerfile
from journal import Journal, eventually
from running_service import descendants

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
MIRROR = "http://deb.debian.org/debian"


class MinimalRoot:
    def __init__(self, root, image, journal):
        self.root, self.image, self.journal = pathlib.Path(root).resolve(), image, journal
        self.release = re.fullmatch(r"debian:(\w+)-slim", image.base)[1]

    def make(self):
        """Makes the root, unless it is there and of the same list."""
        stamp = self.root / "packages"
        wanted = "\n".join([self.release, *self.image.packages, *self.image.user_command])
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.rmtree(self.root, ignore_errors=True)
            self.bootstrap(self.root.with_name("bare"), [])
            self.bootstrap(self.root, self.image.packages)
            self.run(*self.image.user_command)
            stamp.write_text(wanted)
        bare, all_of_it = size(self.root.with_name("bare")), size(self.root)
        self.journal.note("root", f"{bare:.0f} MB Debian {self.release} alone, {all_of_it:.0f} MB with the packages")

    def bootstrap(self, folder, packages):
        shutil.rmtree(folder, ignore_errors=True)
        include = [f"--include={','.join(packages)}"] if packages else []
        done = subprocess.run(
            ["debootstrap", "--variant=minbase", *include, self.release, folder, MIRROR],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, f"debootstrap failed:\n{done.stdout[-2000:]}"
        # What `rm -rf /var/lib/apt/lists` does in the image, and what debian:*-slim leaves out.
        for unneeded in ["lib/apt/lists", "cache/apt/archives"]:
            shutil.rmtree(folder / "var" / unneeded, ignore_errors=True)
        for unneeded in ["doc", "man", "locale"]:
            shutil.rmtree(folder / "usr/share" / unneeded, ignore_errors=True)

    def run(self, *words):
        return subprocess.run(["chroot", self.root, *words], check=True, capture_output=True, text=True).stdout

    def install(self, program):
        """What COPY and `ln -s` do."""
        place = self.root / "usr/local/bin"
        for old in place.iterdir():
            old.unlink()
        shutil.copy2(program, place / program.name)
        subprocess.run(["strip", place / program.name], check=True)
        os.symlink(program.name, place / "program")
        before, after = program.stat().st_size, (place / program.name).stat().st_size
        self.journal.note("program", f"{before / 1e6:.0f} MB as it was linked, {after / 1e6:.0f} MB in the image")
        self.journal.note("image", f"{size(self.root):.0f} MB in all")

    def check_libraries(self):
        """That every library is there, and each package of libraries is there for one."""
        lines = self.run("ldd", "/usr/local/bin/program").splitlines()
        missing = [line.strip() for line in lines if "not found" in line]
        assert not missing, f"libraries that no package brings: {missing}"
        owners = {}
        for path in re.findall(r"=> (/\S+)", "\n".join(lines)):
            name = pathlib.Path(path).name
            owner = self.run("sh", "-c", f"dpkg -S '*/{name}' | head -n 1").split(":")[0]
            owners.setdefault(owner, []).append(name)
        for owner, names in sorted(owners.items()):
            self.journal.note("libraries", f"{owner}: {', '.join(names)}")
        idle = [one for one in self.image.packages if one.startswith("lib") or one.startswith("zlib")]
        idle = [one for one in idle if one not in owners]
        assert not idle, f"packages that nothing is linked with: {idle}"

    def start(self, environment, *words):
        """Starts the program as a first process, on a read-only root, as the image's user."""
        home = self.image.work_folder
        mounts = f"""
            mount --bind "$ROOT" "$ROOT"
            mount -t proc proc "$ROOT/proc"
            mount -t tmpfs -o mode=755 none "$ROOT/dev"
            for device in null zero full random urandom; do
                touch "$ROOT/dev/$device"
                mount --bind "/dev/$device" "$ROOT/dev/$device"
            done
            mount -t tmpfs none "$ROOT/tmp"
            mount -t tmpfs -o mode=700,uid={self.image.user} none "$ROOT{home}"
            mount -o remount,bind,ro "$ROOT"
            exec chroot --userspec={self.image.user}:{self.image.user} "$ROOT" \
                /bin/sh -c 'cd {home} && exec "$@"' sh "$@"
            """
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", mounts, "sh",
             *self.image.entrypoint, *words],
            env={"PATH": path, "ROOT": str(self.root), **self.image.environment, **environment},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def inside(self, pid, *words, environment={}):
        """`docker exec`: runs a command where that process is, as the image's user."""
        return subprocess.run(
            ["nsenter", "--target", str(pid), "--mount", "--pid", "--root", "--wd", f"--setuid={self.image.user}",
             f"--setgid={self.image.user}", *words],
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", **self.image.environment, **environment},
            capture_output=True, text=True, timeout=60)


def size(folder):
    """In millions of bytes."""
    done = subprocess.run(["du", "-sx", "-B1", folder], check=True, capture_output=True, text=True)
    return int(done.stdout.split()[0]) / 1e6


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def child(pid):
    """The first process within, as the machine outside knows it."""
    found = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(found[0]) if found else None


def facts(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)


def rehearse(root, journal):
    with tempfile.TemporaryDirectory(prefix="chard-root-") as folder:
        port, http = free_port(), free_port()
        redis = subprocess.Popen(
            ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        environment = {"CHARD_BROKER_URL": f"redis://127.0.0.1:{port}/0", "CHARD_HTTP": f"0.0.0.0:{http}"}
        worker = root.start(environment, "worker", "--processes", "2")
        try:
            pid = eventually("the program runs", lambda: child(worker.pid) or worker.poll() is not None)
            assert worker.poll() is None, worker.stdout.read()

            def answer(what):
                return root.inside(pid, *root.image.check[1:], what, environment=environment)
            eventually("it is ready", lambda: worker.poll() is not None or answer("ready").returncode == 0, within=30)
            assert worker.poll() is None, worker.stdout.read()
            its = facts(pid)
            number, user, rights = its["NSpid"].split()[-1], its["Uid"].split()[0], int(its["CapEff"], 16)
            assert (number, user, rights) == ("1", root.image.user, 0), its
            journal.note("worker", f"is process {number}, user {user}, without privileges")
            journal.note("health check", f"says: {answer('live').stdout.strip()}")
            written = root.inside(pid, "touch", "/usr/local/bin/x")
            assert written.returncode != 0 and "Read-only" in written.stderr, written
            journal.note("root", f"is read-only: {written.stderr.strip()}")

            def program(*words):
                done = root.inside(pid, *root.image.entrypoint, *words, environment=environment)
                assert done.returncode == 0, f"{words}: {done.stderr}"
                return done.stdout
            # Needs tzdata.
            program("beat", "add", "monthly", "--task", "polls.forget", "--cron", "@monthly", "--zone", "Europe/Warsaw")
            program("send", "polls.forget", "--args", "[30]", "--id", "one")

            def ends():
                return [json.loads(line)["end"] for line in program("list", "--json").splitlines()]
            journal.note("worker", f"has run a task, which came to: {eventually('the task is over', ends)[0]}")
            before = descendants(pid)
            os.kill(before[0], signal.SIGKILL)
            eventually(
                "it is replaced",
                lambda: len(set(descendants(pid)) - {before[0]}) == 2 and answer("ready").returncode == 0)
            journal.note("worker", "one of its two processes was killed, and is replaced")
            os.kill(pid, signal.SIGTERM)
            status = worker.wait(timeout=45)
            said = worker.stdout.read()
            assert status == 0 and "has stopped" in said, f"{status}: {said}"
            journal.note("worker", "SIGTERM: " + said.strip().splitlines()[-1])
        finally:
            if worker.poll() is None:
                worker.kill()
            redis.kill()
            redis.wait()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--program", required=True, type=pathlib.Path)
    options.add_argument("--root", required=True, type=pathlib.Path)
    options = options.parse_args()
    journal = Journal()
    image = Dockerfile(REPOSITORY / "docker/Dockerfile")
    journal.title(f"The image: {image.base} with {', '.join(image.packages)}")
    root = MinimalRoot(options.root, image, journal)
    root.make()
    root.install(options.program.resolve())
    root.check_libraries()
    rehearse(root, journal)


if __name__ == "__main__":
    main()
