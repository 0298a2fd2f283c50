# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""People who make polls and vote, whatever happens to the site, and remember what it has acknowledged."""

import datetime
import http.client
import random
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request


class Visitors:
    def __init__(self, url, seed, pause=0.15):
        self.url, self.pause = url, pause
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        # By question: the poll's address where the site has answered, None where it is in doubt.
        self.polls = {}
        self.votes, self.votes_in_doubt, self.refused = {}, {}, 0
        self.is_over = threading.Event()
        self.threads = []

    def start(self, count=4):
        self.threads = [threading.Thread(target=self.visit, args=(number,), daemon=True) for number in range(count)]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.is_over.set()
        for thread in self.threads:
            thread.join(timeout=60)

    def visit(self, visitor):
        number = 0
        while not self.is_over.is_set():
            number += 1
            self.make(f"Q{visitor}-{number}")
            time.sleep(self.pause)

    def make(self, question, closes_in=None):
        """Makes a poll that closes soon, and votes."""
        with self.lock:
            closes_in = closes_in or self.random.uniform(2, 9)
        closes_at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=closes_in)
        time_of_closing = closes_at.strftime("%Y-%m-%dT%H:%M:%S")
        form = {"question": question, "choices": "yes\nno", "closesAt": time_of_closing, "offset": 0}
        status, address, page = self.send("/polls", form)
        if status is None or status >= 500:
            with self.lock:
                self.polls[question] = None
            return
        assert status == 200, f"{status} for a new poll: {page}"
        with self.lock:
            self.polls[question] = urllib.parse.urlparse(address).path
        choices = re.findall(r'name="choice" value="(\d+)"', page)
        for choice in choices * 2:
            status, _, _ = self.send(urllib.parse.urlparse(address).path + "/votes", {"choice": choice})
            with self.lock:
                if status is None or status >= 500:
                    self.votes_in_doubt[question] = self.votes_in_doubt.get(question, 0) + 1
                elif status == 200:
                    self.votes[question] = self.votes.get(question, 0) + 1
                else:
                    self.refused += 1

    def send(self, path, form):
        """Sends a form. Returns status, address and page; None where nobody knows what became of it."""
        try:
            with urllib.request.urlopen(self.url + path, urllib.parse.urlencode(form).encode(), timeout=20) as answer:
                return answer.status, answer.url, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.url, error.read().decode()
        except (OSError, http.client.HTTPException):
            # A site that is away is not asked again at once.
            time.sleep(0.2)
            return None, None, ""
