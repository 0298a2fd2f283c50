# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

import json
import pathlib
import re
import subprocess
import time

README = pathlib.Path(__file__).resolve().parents[1] / "Sources/Decisions/README.md"

LOAN = {"income": 52000, "amount": 90000, "years": 10}


def play(site, browser, redis):
    site.start(DECISIONS_CACHE=redis.url if redis else "memory://")
    page(site, browser)
    api(site)
    transcript(site)
    if redis:
        away(site, redis)


def page(site, browser):
    browser.open(site.url)
    for button, decider in [("Decide now", "model"), ("Decide now", "cache"), ("Simulate", "simulation"),
                            ("Ask the bureau", "bureau")]:
        browser.press(button)
        browser.wait(f"the {decider} has decided", lambda: browser.find(f".card[data-by={decider}]"))
    browser.shoot("decided")


def api(site):
    # Neither the one that blocks nor the one that waits keeps the server from anything.
    places = []
    for path in ["/decisions/async", "/decisions/bureau", "/decisions/async"]:
        status, headers, text = site.ask("POST", path, LOAN)
        assert status == 202 and headers["Retry-After"] == "1", (status, text)
        assert json.loads(text)["status"] == "PENDING"
        places.append(headers["Location"])
    start = time.monotonic()
    status, _, text = site.ask("POST", "/decisions", {**LOAN, "years": 11})
    assert status == 200 and json.loads(text)["by"] == "model" and time.monotonic() - start < 1
    deadline = time.monotonic() + 20
    for place in places:
        assert place.startswith("/statuses/")
        while (state := json.loads(site.ask("GET", place)[2])["status"]) != "READY":
            assert state == "PENDING" and time.monotonic() < deadline, state
            time.sleep(0.1)
        decision = json.loads(site.ask("GET", place.replace("statuses", "decisions"))[2])
        assert decision["by"] in ("simulation", "bureau")
    known = json.loads(text)["id"]
    assert json.loads(site.ask("GET", f"/decisions/{known}")[2])["by"] == "model", "written after the response"
    for path in ["/statuses/garbage", "/statuses/%3Cscript%3E", "/decisions/none"]:
        assert site.ask("GET", path)[0] == 404, path
    assert site.ask("POST", "/decisions", {"income": "much"})[0] == 400
    assert site.ask("POST", "/decisions", {**LOAN, "years": 0})[0] == 422
    assert site.ask("POST", "/decisions", b"{", {"Content-Type": "application/json"})[0] == 400


def transcript(site):
    """What the README shows is what happens, but for ids and the time."""
    uuid = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    shown = re.findall(r"^\$ (.*)\n((?:(?!\$ |```).*\n)*)", README.read_text(), re.MULTILINE)
    assert len(shown) > 4
    ids = {}
    for command, expected in shown:
        for known, here in ids.items():
            command = command.replace(known, here)
        said = subprocess.run(
            ["bash", "-c", command.replace("localhost:8080", f"127.0.0.1:{site.port}")], capture_output=True, text=True)
        said = said.stdout.replace("\r", "")
        ids.update(zip(uuid.findall(expected), uuid.findall(said)))
        for known, here in ids.items():
            said = said.replace(here, known)
        said, expected = plain(said), plain(expected)
        assert said == expected, f"{command} says\n{said}\nand not\n{expected}"


def plain(text):
    """An answer without its time, and with members of JSON in one order."""
    lines = re.sub(r"(?m)^Date: .*$", "Date:", text).strip().split("\n")
    return "\n".join(json.dumps(json.loads(line), sort_keys=True) if line.startswith("{") else line for line in lines)


def away(site, redis):
    site.stop_worker()
    redis.kill()
    start = time.monotonic()
    status, headers, text = site.ask("POST", "/decisions/async", LOAN)
    assert status == 503 and headers["Retry-After"] and "cannot be reached" in text, (status, text)
    assert time.monotonic() - start < 3
