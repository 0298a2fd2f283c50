# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

import datetime
import time


def local(seconds):
    """A time by this machine's clock, as the picker has it."""
    return (datetime.datetime.now() + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")


def create(browser, site, question, seconds):
    browser.open(site.url)
    browser.type("Question", question)
    browser.type("Choices", "Chard\nSpinach <b>raw</b>")
    browser.set("Closes at", local(seconds))
    browser.press("Create")
    browser.wait("the poll is shown", lambda: "/polls/" in browser.driver.current_url and question in browser.text())


def play(site, browser, redis):
    site.start()
    create(browser, site, "Which <i>leaf</i>?", 6)
    assert "Spinach <b>raw</b>" in browser.text(), "markup is shown as it was typed"
    assert ", in " in browser.text(), "the time that is left"
    browser.shoot("open")
    browser.find("input[type=radio]").click()
    browser.press("Vote")
    browser.shows("1 vote")
    browser.wait("the page says that it is closed", lambda: browser.find("#closed"), 15)
    assert not browser.all("input[type=radio]"), "nobody can vote any more"
    browser.shoot("closed")
    browser.open(site.url)
    browser.shows("closed")
    browser.shoot("list")

    # A worker that was stopped over the closing time closes it as soon as it is back.
    site.stop_worker()
    create(browser, site, "Late?", 2)
    time.sleep(3)
    browser.driver.refresh()
    assert not browser.all("#closed"), "there was nobody to close it"
    site.start_worker()
    def is_closed():
        browser.driver.refresh()
        return browser.all("#closed")
    browser.wait("it is closed", is_closed, 10)

    if redis:
        away(site, browser, redis)
    create_refused(browser, site)
    browser.open(site.url + "/nowhere")
    browser.shows("no page at this address")
    assert site.ask("GET", "/polls/12345")[0] == 404
    assert site.ask("GET", "/polls/%3Cscript%3E")[0] == 404


def away(site, browser, redis):
    """Without its broker the site goes on; the task follows once it is back."""
    site.stop_worker()
    redis.kill()
    create(browser, site, "Without a broker?", 2)
    browser.find("input[type=radio]").click()
    browser.press("Vote")
    browser.shows("1 vote")
    redis.start()
    site.start_worker()
    browser.wait("it is closed", lambda: browser.find("#closed"), 15)


def create_refused(browser, site):
    before = len(site.ask("GET", "/")[2])
    form = f"question=Past&choices=a%0Ab&closesAt={local(-60)}&offset={-local_offset()}"
    status, _, text = site.ask("POST", "/polls", form.encode(), {"Content-Type": "application/x-www-form-urlencoded"})
    assert status == 400 and "in the future" in text
    assert len(site.ask("GET", "/")[2]) == before, "nothing half done"


def local_offset():
    return int(datetime.datetime.now().astimezone().utcoffset().total_seconds() / 60)
