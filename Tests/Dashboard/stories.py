# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""What somebody does with the dashboard, one after the other over the same broker. Each says in a line what it shows."""

import signal

from site_processes import eventually


def shop_runs(scene, browser):
    """An overview of a shop that has been busy, growing live."""
    browser.go("/")
    browser.shows("Overview")
    scene.send("orders.rush", 200)
    browser.watches("states", "over in the last hour")
    browser.wait("the rush is over", lambda: int(browser.part("hour").split(" succeeded")[0].split()[-1]) >= 200)
    scene.send("orders.pack", "a long one", 600)
    scene.send("orders.price", "<b>bold</b>", options=("--countdown", "1800"))
    for number in range(3):
        scene.send("orders.unknown", number, options=("-Q", "nowhere"))
    browser.watches("alarms", "The queue nowhere is served by no worker")
    browser.shows("orders.price")


def failed_task(scene, browser):
    """The failed task of the last hour, why it failed, retried, and seen to succeed without a reload."""
    template = scene.folder / "invoice.txt"
    scene.send("orders.invoice", str(template))
    browser.go("/")
    browser.watches("states", "failed in the last hour")
    browser.wait("the failure is counted", lambda: browser.all("li.bad"))
    browser.shoot("overview")
    browser.find("li.bad a").click()
    browser.shows("orders.invoice")
    browser.shoot("tasks")
    link = browser.wait("the task has a page", lambda: [
        row.find_element("css selector", "a.id") for row in browser.all("tr") if "orders.invoice" in row.text])[0]
    link.click()
    browser.shows("there is no template")
    browser.shows("FAILURE")
    browser.shoot("task-failed")
    template.write_text("An invoice.")
    browser.press_in("main", "Retry")
    browser.driver.execute_script("window.isTheSame = true")
    browser.wait("it succeeds", lambda: "SUCCESS" in browser.text())
    browser.shoot("task-succeeded")


def paused_queue(scene, browser):
    """A queue, paused and resumed, whose tasks wait meanwhile."""
    browser.go("/queues/celery")
    browser.press_in("main", "Pause")
    browser.shows("The queue celery is paused")
    ids = [scene.send("orders.price", f"paused {number}") for number in range(3)]
    browser.watches("waiting", ids[2])
    browser.shoot("queue-paused")
    browser.go("/queues")
    browser.shows("paused")
    browser.shoot("queues")
    browser.go("/")
    browser.watches("alarms", "The queue celery is paused, with 3 messages waiting.")
    browser.go("/queues/celery")
    browser.press_in("main", "Resume")
    browser.watches("waiting", "Nothing waits.")


def flow(scene, browser):
    """A flow that waits for its signal, which is given."""
    scene.send("orders.checkout", "a <plant>")
    browser.go("/workflows")
    browser.watches("workflows", "running")
    browser.wait("the flow is there", lambda: browser.all("[data-part=workflows] a.id"))
    browser.shoot("workflows")
    browser.find("[data-part=workflows] a.id").click()
    browser.watches("tree", "approve")
    browser.shoot("workflow-waiting")
    browser.press_in("main", "Send approve")
    browser.shows("The signal approve was given.")
    browser.watches("figures", "succeeded")
    browser.shoot("workflow")


def schedules(scene, browser):
    """Schedules, with one added by mistake and then right, run, paused, changed and removed."""
    browser.go("/schedules")
    browser.watches("schedules", "every minute")
    browser.find("#name").send_keys("nightly")
    for label, text in [("Task", "orders.price"), ("Cron", "61 3 * * *"), ("Arguments", "{}")]:
        browser.field(label).send_keys(text)
    browser.press_in("form.sheet", "Add")
    browser.shows("61")
    browser.shows("no JSON array")
    browser.driver.back()
    browser.wait("what was typed is still there", lambda: browser.field("Cron").get_attribute("value") == "61 3 * * *")
    for label, text in [("Cron", "1 3 * * *"), ("Arguments", '["night"]')]:
        browser.field(label).clear()
        browser.field(label).send_keys(text)
    browser.press_in("form.sheet", "Add")
    browser.shows("The schedule nightly is added: at 03:01, UTC.")
    browser.shoot("schedule")
    browser.press_in("main", "Run now")
    browser.shows("was sent, as ")
    browser.press_in("main", "Pause")
    browser.shows("is paused")
    browser.press_in("main", "Resume")
    browser.field("Cron").clear()
    browser.field("Cron").send_keys("2 4 * * *")
    browser.press_in("form.sheet", "Change")
    browser.shows("at 04:02, UTC")
    assert scene.command("beat", "--list")[0]["args"] == ["night"], "what was not touched stays"
    browser.go("/schedules")
    browser.shoot("schedules")
    browser.go("/schedules/nightly")
    browser.press_in("main", "Remove")
    browser.shows("The schedule nightly is removed.")


def workers(scene, browser):
    """Workers, Python's too, what one of them loses when it is killed, and one that is told to stop."""
    scene.worker("doomed", "-Q", "doomed")
    lost = scene.send("orders.pack", "lost", 600, options=("-Q", "doomed"))
    browser.go("/workers")
    browser.watches("workers", "doomed@shop")
    browser.wait("it runs", lambda: "orders.pack" in browser.part("workers"))
    if scene.redis:
        browser.watches("workers", "python@shop")
        assert "Python · pid" in browser.part("workers")
    browser.shoot("workers")
    scene.kill("doomed")
    browser.watches("losses", lost, 60)
    browser.go("/workers/swift@shop")
    browser.shows("Process")
    browser.shoot("worker")
    if not scene.redis:
        assert not browser.all("form[action$='/stop']"), "nobody can be told anything"
        return
    scene.worker("leaving", "-Q", "leaving")
    browser.go("/workers")
    browser.watches("workers", "leaving@shop")
    browser.find("a[href$='/workers/leaving%40shop']").click()
    browser.press_in("main", "Stop")
    browser.shows("was told to stop")
    assert scene.processes.pop("leaving").wait(timeout=20) == 0
    scene.worker("resting", "-Q", "resting")
    browser.go("/workers")
    browser.watches("workers", "resting@shop")
    browser.go("/workers/resting@shop")
    browser.press_in("main", "One slot more")
    browser.shows("runs 1 more at once")
    browser.type("Another queue", "another")
    browser.press_in("main", "Serve it, too")
    browser.shows("takes from another, too")
    status, answer = scene.ask("/workers/resting@shop/slots", {"by": "many"})
    assert status == 400 and "must be a whole number" in str(answer), (status, answer)
    browser.press_in("main", "Quiet: take nothing more")
    browser.shows("takes nothing more from another, resting")
    browser.watches("figures", "It takes from no queue.", 30)
    browser.go("/workers/python@shop")
    browser.press_in("main", "Quiet: take nothing more")
    browser.shows("takes nothing more from python")
    browser.watches("figures", "It takes from no queue.", 30)


def dead_letters(scene, browser):
    """Messages that no worker could run, grouped, and the page of one."""
    scene.send("orders.missing", 1)
    browser.go("/dead")
    browser.shows("orders.missing")
    browser.shoot("dead")
    browser.go("/delayed")
    browser.shows("orders.price")
    browser.shoot("delayed")
    browser.go("/workers")
    browser.watches("unknown", "orders.missing", 40)


def broker(scene, browser):
    """The broker, away for a while and back, with the page going on by itself."""
    browser.go("/broker")
    browser.watches("figures", "round trip")
    browser.watches("findings", "workers")
    browser.shoot("broker")
    if not scene.redis:
        return
    scene.redis.process.send_signal(signal.SIGSTOP)
    try:
        browser.wait("the page says that the broker is away", lambda: "away" in browser.find("#banner").text, 40)
        assert scene.ask("/queues")[0] == 503
        browser.shoot("broker-away")
    finally:
        scene.redis.process.send_signal(signal.SIGCONT)
    browser.wait("the page goes on", lambda: not browser.find("#banner").is_displayed(), 40)


def bad_input(scene, browser):
    """Addresses that are none, and orders that come from elsewhere."""
    for path in ["/queues/none", "/workers/none", "/schedules/none", "/workflows/none", "/workflows/%3Cscript%3E", "/none"]:
        assert scene.ask(path)[0] == 404, path
    for path in ["/queues?limit=x", "/workflows?state=odd", "/workers?from=-1"]:
        status, problem = scene.ask(path)
        assert status == 400 and "filter" in problem["detail"], (path, problem)
    for path, form in [("/schedules", {"name": "x"}), ("/schedules", {"name": "x", "task": "t", "cron": "a"}),
                       ("/schedules", {"name": "x", "task": "t", "every": "-1"})]:
        assert scene.ask(path, form)[0] == 422, form
    for headers in [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://elsewhere.example"}]:
        assert scene.ask("/queues/celery/pause", {"x": "y"}, headers)[0] == 403, headers
    assert not any(queue["is_paused"] for queue in scene.ask("/queues")[1]["queues"])
    browser.go("/workflows/%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    browser.shows("<script>alert(1)</script>")
    status, api = scene.ask("/openapi.json")
    for path in [path for path in api["paths"] if "{" not in path and "get" in api["paths"][path]]:
        # A dry run of nothing is none.
        assert scene.ask(path)[0] == (400 if path == "/dry-run" else 200), path


def restarted(scene, browser):
    """A dashboard that is started anew shows the same."""
    before = scene.ask("/")[1]
    browser.go("/")
    scene.stop("dashboard")
    browser.wait("the page says that nobody answers", lambda: browser.find("#banner").is_displayed())
    browser.shoot("away")
    scene.start_dashboard()
    browser.wait("the page goes on", lambda: not browser.find("#banner").is_displayed(), 30)
    after = eventually("the history is read", lambda: (page := scene.ask("/")[1])["history"]["is_read"] and page)
    assert after["hour"]["over"] >= before["hour"]["over"] > 200


ALL = [shop_runs, failed_task, paused_queue, flow, schedules, workers, dead_letters, broker, bad_input, restarted]
