# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""Uses the dashboard with a real browser, over Redis with Swift and Python workers, and over a SQLite file.

    drive.py [--brokers redis,sqlite] [--programs .build/debug] [--shots DIR] [--only STORY]

Ends with 1 where anything is not as it should be. Every page that it saw is in DIR, light and dark, at the width of a desk and of a phone.
"""

import argparse
import pathlib
import sys
import tempfile
import time
import traceback

from scene import ROOT, Scene
from page import DESK, PHONE, Browser  # noqa: E402  (found by way of scene)

import stories


class Viewer(Browser):
    """A browser that sees a dashboard."""

    def go(self, path):
        self.open(self.scene.url + path)

    def text(self):
        # What came of an order stands above the page.
        return self.find("body").text

    def shoot(self, name):
        for scheme in ["light", "dark"]:
            self.driver.execute_cdp_cmd(
                "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
            label, self.label = self.label, f"{self.label}-{scheme}"
            try:
                super().shoot(name)
            finally:
                self.label = label

    def press_in(self, selector, text):
        """Presses a button within a part of the page."""
        def press():
            for button in self.all(f"{selector} button"):
                if button.text == text:
                    button.click()
                    return True
            return False
        self.wait(f"there is a button {text} in {selector}", press)

    def part(self, name):
        return self.find(f"[data-part={name}]").text

    def watches(self, part, text, within=20):
        """Waits until a part of the page shows something, without loading the page anew."""
        self.driver.execute_script("window.isTheSame = true")
        self.wait(f"{part} shows {text}", lambda: text in self.part(part), within)
        assert self.driver.execute_script("return window.isTheSame"), "the page was loaded anew"


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--brokers", default="redis,sqlite")
    options.add_argument("--programs", default=str(ROOT / ".build/debug"))
    options.add_argument("--shots", default=None)
    options.add_argument("--only", default=None)
    options = options.parse_args()
    shots = pathlib.Path(options.shots or tempfile.mkdtemp(prefix="chard-dashboard-"))
    shots.mkdir(parents=True, exist_ok=True)
    began, failures = time.monotonic(), 0
    for broker in options.brokers.split(","):
        # One for each: what it still asks of a dashboard that has ended is nothing to complain of in the next.
        with Viewer(shots) as browser:
            failures += play(broker, browser, options)
    print(f"{failures} failed, {time.monotonic() - began:.0f} s; screenshots in {shots}")
    sys.exit(1 if failures else 0)


def play(broker, browser, options):
    failures = 0
    with tempfile.TemporaryDirectory(prefix=f"dashboard-{broker}-") as folder:
        browser.scene = scene = Scene(broker, folder, options.programs)
        browser.label = broker
        try:
            scene.start()
            for story in stories.ALL:
                if options.only not in (None, story.__name__):
                    continue
                start = time.monotonic()
                try:
                    story(scene, browser)
                    browser.check_console()
                    print(f"ok    {broker}: {story.__doc__} {time.monotonic() - start:.1f} s", flush=True)
                except Exception:
                    failures += 1
                    traceback.print_exc()
                    browser.driver.save_screenshot(str(browser.shots / f"{broker}-FAILED-{story.__name__}.png"))
                    print(f"FAILED {broker}: {story.__doc__}", flush=True)
            if failures:
                print(scene.logs())
        finally:
            scene.end()
    return failures


if __name__ == "__main__":
    main()
