# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""compose.yaml as Docker reads it: variables replaced, and each service with its image's own settings beneath."""

import pathlib
import re

import yaml

from dockerfile import Dockerfile


class ComposeFile:
    def __init__(self, path, variables):
        """Reads the file; variables are those of .env, for what stands in ${...}."""
        self.folder = pathlib.Path(path).resolve().parent

        def value(match):
            if match[0] == "$$":
                return "$"
            return variables.get(match[1]) or match[2] or ""

        text = re.sub(r"\$\$|\$\{(\w+)(?::-([^}]*))?\}", value, pathlib.Path(path).read_text())
        services = yaml.safe_load(text)["services"]
        self.services = {name: Service(name, entry, self.folder) for name, entry in services.items()}

    def of_profiles(self, *profiles):
        """The services that `docker compose --profile ... up` starts, each behind those that it waits for."""
        chosen = [one for one in self.services.values() if not one.profiles or set(one.profiles) & set(profiles)]
        return sorted(chosen, key=lambda one: len(one.waits_for))


class Service:
    def __init__(self, name, entry, folder):
        self.name = name
        self.profiles = entry.get("profiles", [])
        self.restart = entry.get("restart", "no")
        self.waits_for = list(entry.get("depends_on", {}))
        self.patience = seconds(entry.get("stop_grace_period", "10s"))
        image = None
        if build := entry.get("build"):
            context = folder / build["context"]
            image = Dockerfile(folder / build["dockerfile"] if "dockerfile" in build else context / "Dockerfile")
        self.command = (image.entrypoint if image else []) + [str(word) for word in entry["command"]]
        self.environment = {**(image.environment if image else {}), **entry.get("environment", {})}
        health = entry.get("healthcheck") or {}
        self.check = health.get("test") or (image.check if image else None)
        # Where the process starts, in the container; Redis' image has its own place.
        self.work_folder = image.work_folder if image else "/data"
        self.mounts = {}
        for mount in entry.get("volumes", []):
            source, target = mount.split(":")[:2]
            self.mounts[target] = source
        words = [str(port).rsplit(":", 1)[-1] for port in entry.get("ports", []) + entry.get("expose", [])]
        self.ports = sorted({int(port) for port in words})


def seconds(text):
    match = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", text)
    return int(match[1] or 0) * 60 + int(match[2] or 0)
