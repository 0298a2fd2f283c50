# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

import json
import time

LOAN = {"income": 52000, "amount": 90000, "years": 10}


def play(site, browser, redis):
    site.start(DECISIONS_CACHE=redis.url if redis else "memory://")
    browser.open(site.url)
    for button, decider in [("Decide now", "model"), ("Decide now", "cache"), ("Simulate", "simulation"),
                            ("Ask the bureau", "bureau")]:
        browser.press(button)
        browser.wait(f"the {decider} has decided", lambda: browser.find(f".card[data-by={decider}]"))
    browser.shoot("decided")
    api(site)
    if redis:
        away(site, redis)


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


def away(site, redis):
    site.stop_worker()
    redis.kill()
    start = time.monotonic()
    status, headers, text = site.ask("POST", "/decisions/async", LOAN)
    assert status == 503 and headers["Retry-After"] and "cannot be reached" in text, (status, text)
    assert time.monotonic() - start < 3
