# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""Starts the example apps as a user would, web and worker as processes, and uses them with a real browser.

    drive.py [--apps polls,reviews] [--brokers sqlite,redis] [--shots DIR] [--postgres]

Ends with 1 where anything is not as it should be. The pages that it saw are in DIR, at the width of a desk and of a phone.
"""

import argparse
import pathlib
import sys
import tempfile
import time
import traceback

import decisions
import decisions_postgres
import polls
import polls_killed
import profiles
import reviews
import slow_dashboard
from page import Browser
from site_processes import Redis, Site

APPS = {
    "polls": polls,
    "polls-killed": polls_killed,
    "profiles": profiles,
    "decisions": decisions,
    "decisions-postgres": decisions_postgres,
    "slow-dashboard": slow_dashboard,
    "reviews": reviews,
}
ROOT = pathlib.Path(__file__).resolve().parents[3]


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--apps", default=",".join(name for name in APPS if not name.endswith("-postgres")))
    options.add_argument("--brokers", default="sqlite,redis")
    options.add_argument("--programs", default=str(ROOT / ".build-apps/debug"))
    options.add_argument("--shots", default=None)
    options.add_argument(
        "--postgres", action="store_true",
        help="also decisions on PostgreSQL, for which it has to be built with DECISIONS_POSTGRES=1")
    options = options.parse_args()
    apps = options.apps.split(",") + (["decisions-postgres"] if options.postgres else [])
    shots = pathlib.Path(options.shots or tempfile.mkdtemp(prefix="chard-apps-"))
    shots.mkdir(parents=True, exist_ok=True)
    failures = 0
    began = time.monotonic()
    with Browser(shots) as browser:
        for broker in options.brokers.split(","):
            for name in apps:
                failures += not play(name, broker, browser, options.programs)
    print(f"{failures} failed, {time.monotonic() - began:.0f} s; screenshots in {shots}")
    sys.exit(1 if failures else 0)


def play(name, broker, browser, programs):
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"{name}-") as folder:
        redis = Redis(folder) if broker == "redis" else None
        url = redis.url if redis else "sqlite:///tasks.db"
        site = Site(f"{programs}/{name.removesuffix('-killed').removesuffix('-postgres')}", folder, url)
        browser.label = f"{name}-{broker}"
        try:
            APPS[name].play(site, browser, redis)
            browser.check_console()
            site.stop()
            print(f"ok    {name} on {broker}, {time.monotonic() - start:.1f} s", flush=True)
            return True
        except Exception:
            traceback.print_exc()
            browser.shoot("failure")
            print(f"--- what {name} said\n{site.log()}\nFAILED {name} on {broker}", flush=True)
            return False
        finally:
            site.kill()
            if redis:
                redis.kill()


if __name__ == "__main__":
    main()
