# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

import csv
import http.server
import pathlib
import sqlite3
import threading

from site_processes import eventually


class Uploads(http.server.BaseHTTPRequestHandler):
    """A server that keeps what is put there."""

    files = {}

    def do_PUT(self):
        Uploads.files[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(201)

    def do_GET(self):
        found = Uploads.files.get(self.path)
        self._answer(404 if found is None else 200, found or b"")

    def _answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def play(site, browser, redis):
    # To a server in one case, to a folder in the other.
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Uploads) if redis else None
    folder = site.folder / "reviews-upload"
    Uploads.files.clear()
    if server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    def uploaded(name):
        if server:
            return Uploads.files.get(f"/backups/{name}", b"")
        path = pathlib.Path(folder / name)
        return path.read_bytes() if path.exists() else b""
    try:
        place = f"http://127.0.0.1:{server.server_port}/backups" if server else "reviews-upload"
        site.worker_options = ("--beat",)
        site.start(REVIEWS_SECONDS=2, REVIEWS_UPLOAD=place)
        write(site, browser)
        eventually("all are backed up", lambda: uploaded("message.txt").endswith(b", 11 in all"))
        rows = list(csv.DictReader(uploaded("reviews.csv").decode().splitlines()))
        assert len(rows) == 11 and rows[0]["text"] == 'So "good", <b>really</b>', rows[0]
        copy = site.folder / "copy.db"
        copy.write_bytes(uploaded("reviews.db"))
        with sqlite3.connect(copy) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert db.execute("SELECT count(*) FROM review").fetchone() == (11,)
        assert (site.folder / "reviews-dataset/reviews.db").exists()

        # A site whose table is missing begins with the newest backup.
        site.stop()
        for path in site.folder.glob("reviews.sqlite*"):
            path.unlink()
        site.start()
        browser.open(site.url)
        browser.shows("11 reviews")
    finally:
        if server:
            server.shutdown()


def write(site, browser):
    browser.open(site.url)
    browser.type("Name", "Grace")
    browser.type("Review", 'So "good", <b>really</b>')
    browser.press("Send")
    browser.shows("1 review")
    assert "<b>really</b>" in browser.text()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for number in range(10):
        body = f"name=Guest+{number}&stars={number % 5 + 1}&text=Review+number+{number}".encode()
        assert site.ask("POST", "/reviews", body, form)[0] == 200
    browser.open(site.url)
    browser.shows("11 reviews")
    assert len(browser.all("article")) == 10
    browser.shoot("list")
    assert site.ask("POST", "/reviews", b"name=x&stars=9&text=y", form)[0] == 400
