# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

import time


def play(site, browser, redis):
    site.start(DASHBOARD_SECONDS=4)
    browser.open(site.url)
    browser.type("Question", "How many <letters>?")
    browser.at_once(lambda: ask(browser, "Ask in a worker", 1))
    def is_under_way():
        return browser.driver.execute_script("return document.querySelector('progress').value") > 0
    browser.wait("the progress is told", is_under_way)
    browser.shoot("progress")
    browser.shows("19 letters, 3 words")
    browser.type("Question", "And in this process?")
    browser.at_once(lambda: ask(browser, "Ask in this process", 2))
    start = time.monotonic()
    assert site.ask("GET", "/")[0] == 200 and time.monotonic() - start < 1, "the server goes on"
    browser.shows("20 letters, 4 words")
    browser.shoot("filled")
    assert len(browser.all("tr[data-state=done]")) == 2
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert site.ask("POST", "/queue", b"question=", form)[0] == 400
    if redis:
        away(site, browser, redis)
    # A page that is open must not keep the server.
    browser.type("Question", "Still open?")
    ask(browser, "Ask in a worker", 4 if redis else 3)


def ask(browser, button, rows):
    browser.press(button)
    browser.wait("the row is there", lambda: len(browser.all("tr[data-state]")) == rows)


def away(site, browser, redis):
    site.stop_worker()
    redis.kill()
    browser.type("Question", "Is anybody there?")
    browser.press("Ask in a worker")
    browser.shows("cannot be reached")
    browser.shoot("away")
    browser.open(site.url)
    assert len(browser.all("tr[data-state]")) == 2, "nothing half done"
    # What this process does needs no broker.
    browser.type("Question", "And here?")
    ask(browser, "Ask in this process", 3)
    browser.shows("9 letters, 2 words")
    redis.start()
    site.start_worker()
