# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""The browser: Debian's Chromium without a window."""

import shutil
import time

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from site_processes import eventually

# Nothing of a page may be wider than these, but the first.
DESK, PHONE = (1200, 900), (390, 844)


class Browser:
    def __init__(self, shots):
        self.shots, self.label = shots, ""

    def __enter__(self):
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or "/usr/bin/chromium"
        for option in ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]:
            options.add_argument(option)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options, Service(shutil.which("chromedriver") or "/usr/bin/chromedriver"))
        self.driver.set_page_load_timeout(30)
        self._resize(DESK)
        return self

    def __exit__(self, *_):
        self.driver.quit()

    # What a user does.

    def open(self, url):
        self.driver.get(url)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def type(self, label, text):
        """Types into the field with this label."""
        self.field(label).send_keys(text)

    def field(self, label):
        # The page that an order leads to may be on its way.
        return self.wait(f"a field is labelled {label}", lambda: next(
            (self.find("#" + found.get_attribute("for")) for found in self.all("label") if found.text.startswith(label)),
            None))

    def set(self, label, value):
        """Sets a field that has a picker."""
        self.driver.execute_script("arguments[0].value = arguments[1]", self.field(label), value)

    def press(self, text):
        """Presses a button, from the keyboard."""
        for button in self.all("button"):
            if button.text == text:
                button.send_keys(Keys.ENTER)
                return
        raise AssertionError(f"no button says {text}")

    def text(self):
        return self.find("main").text

    def wait(self, what, condition, within=20):
        """Waits for a condition on a page that may be replaced meanwhile."""
        def holds():
            try:
                return condition()
            except Exception as error:
                if type(error).__name__ in ("StaleElementReferenceException", "NoSuchElementException"):
                    return False
                raise
        return eventually(what, holds, within)

    def shows(self, text, within=20):
        self.wait(f"the page shows {text}", lambda: text in self.text(), within)

    def at_once(self, act, within=2.0):
        """Does something that has to be over at once."""
        start = time.monotonic()
        act()
        took = time.monotonic() - start
        assert took < within, f"it took {took:.1f} s"

    # What is looked at.

    def shoot(self, name):
        """Takes pictures at both widths, and makes sure that a phone need not be scrolled sideways."""
        for word, size in [("phone", PHONE), ("desk", DESK)]:
            self._resize(size)
            self.driver.save_screenshot(str(self.shots / f"{self.label}-{name}-{word}.png"))
            if word == "phone":
                wide, seen = self.driver.execute_script(
                    "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
                assert wide <= seen, f"the page is {wide} wide on a phone of {seen}"

    def check_console(self):
        """Nothing went wrong in scripts, and nothing was refused by the page's own policy."""
        bad = [line["message"] for line in self.driver.get_log("browser")
               if line["level"] == "SEVERE" and "the server responded with a status of" not in line["message"]
               and "favicon" not in line["message"]]
        assert not bad, bad

    def _resize(self, size):
        width, height = size
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == PHONE})
