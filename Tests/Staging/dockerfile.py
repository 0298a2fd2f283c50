# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""What the last stage of a Dockerfile says of the image."""

import json
import pathlib
import re
import shlex


class Dockerfile:
    def __init__(self, path):
        text = pathlib.Path(path).read_text()
        lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
        joined = re.sub(r"\\\n", " ", "\n".join(lines))
        stage, self.defaults = [], {}
        for line in filter(None, map(str.strip, joined.splitlines())):
            word, _, rest = line.partition(" ")
            if word == "FROM":
                stage = []
            stage.append((word, rest.strip()))
        self.base = stage[0][1].split()[0]
        self.environment, self.runs = {}, []
        self.user, self.work_folder, self.entrypoint, self.check = "root", "/", [], None
        for word, rest in stage:
            if word == "ENV":
                self.environment.update(item.split("=", 1) for item in shlex.split(rest))
            elif word == "RUN":
                self.runs.append(rest)
            elif word == "USER":
                self.user = rest
            elif word == "WORKDIR":
                self.work_folder = rest
            elif word == "ENTRYPOINT":
                self.entrypoint = json.loads(rest)
            elif word == "HEALTHCHECK":
                self.check = ["CMD"] + json.loads(rest[rest.index("CMD ") + 4:])

    @property
    def packages(self):
        """Debian's packages that are installed."""
        found = []
        for run in self.runs:
            for command in re.split(r"&&|;", run):
                words = shlex.split(command)
                if words[:1] == ["apt-get"] and "install" in words:
                    behind = words[words.index("install") + 1:]
                    found += [word for word in behind if not word.startswith(("-", "$"))]
        return found

    @property
    def user_command(self):
        """The command that makes the user."""
        for run in self.runs:
            for command in re.split(r"&&|;", run):
                words = shlex.split(command)
                if words[:1] == ["useradd"]:
                    return words
        raise ValueError("no user is made")
