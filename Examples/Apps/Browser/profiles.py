# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

import email
import email.policy
import struct
import zlib

from aiosmtpd.controller import Controller

from site_processes import eventually, free_port


def png(size=64):
    """A small picture."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(
        b"\0" + bytes(v for x in range(size) for v in (x * 255 // size, y * 255 // size, 120)) for y in range(size))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class Mails:
    """A mail server's mails."""

    def __init__(self):
        self.all = []

    async def handle_DATA(self, server, session, envelope):
        self.all.append((envelope.rcpt_tos, envelope.content))
        return "250 OK"


def upload(browser, site, name, path):
    browser.open(site.url)
    browser.type("Name", name)
    browser.field("Photo").send_keys(str(path))
    browser.press("Add")


def play(site, browser, redis):
    # To a mail server in one case, to a folder in the other.
    mails = Mails()
    server = Controller(mails, hostname="127.0.0.1", port=free_port()) if redis else None
    if server:
        server.start()
    try:
        site.start(
            PROFILES_ADMIN="boss@example.com", PROFILES_SMTP=f"127.0.0.1:{server.port}" if server else "")
        photos(site, browser)
        contact(site, browser, mails if server else None)
        if redis:
            away(site, browser, redis)
    finally:
        if server:
            server.stop()


def photos(site, browser):
    photo = site.folder / "cat.png"
    photo.write_bytes(png())
    browser.at_once(lambda: (upload(browser, site, "Ada <Lovelace>", photo), browser.shows("on its way")))
    assert "Ada <Lovelace>" in browser.text()
    browser.shoot("waiting")
    browser.wait("the photo is shown", lambda: browser.driver.execute_script(
        "const image = document.querySelector('img.photo'); return image && image.naturalWidth == 64"))
    browser.shoot("shown")
    uploads = site.folder / "profiles-uploads"
    eventually("the upload is gone, since its task is done", lambda: not list(uploads.iterdir()))

    text = site.folder / "cat.txt"
    text.write_text("no image at all")
    upload(browser, site, "Text", text)
    browser.shows("has to be a PNG")
    big = site.folder / "big.png"
    big.write_bytes(png() + bytes(6_000_000))
    upload(browser, site, "Big", big)
    browser.shows("5 MB")
    browser.shoot("too-large")
    browser.open(site.url)
    assert len(browser.all("tr[data-state]")) == 1, "nothing half done"
    assert not list(uploads.iterdir())


def contact(site, browser, mails):
    browser.open(site.url)
    browser.find("a[href='/contact']").click()
    browser.type("Your address", "ada@example.com")
    browser.type("Message", "Hello!\n.\nGrüße")
    browser.shoot("contact")
    browser.press("Send")
    browser.shows("on its way")
    if mails:
        recipients, content = eventually("the mail is sent", lambda: mails.all and mails.all[0])
        assert recipients == ["boss@example.com"]
    else:
        new = site.folder / "profiles-mail/new"
        content = eventually("the mail is there", lambda: new.exists() and list(new.iterdir()))[0].read_bytes()
    mail = email.message_from_bytes(content, policy=email.policy.default)
    assert [address.addr_spec for address in mail["Reply-To"].addresses] == ["ada@example.com"], mail["Reply-To"]
    assert mail.get_content().splitlines() == ["Hello!", ".", "Grüße"], mail.get_content()
    status, _, text = site.ask(
        "POST", "/contact", b"sender=a%40b.c%0D%0ABcc%3A+x%40y.z&text=hi",
        {"Content-Type": "application/x-www-form-urlencoded"})
    assert status == 400 and "address" in text


def away(site, browser, redis):
    """Without its broker the site says so, and has done nothing."""
    site.stop_worker()
    redis.kill()
    before = site.ask("GET", "/list")[2]
    upload(browser, site, "Late", site.folder / "cat.png")
    browser.shows("cannot be reached")
    browser.shoot("away")
    browser.open(site.url + "/contact")
    browser.type("Your address", "ada@example.com")
    browser.type("Message", "Hello again!")
    browser.press("Send")
    browser.shows("cannot be reached")
    assert site.ask("GET", "/list")[2] == before, "nothing half done"
    assert not list((site.folder / "profiles-uploads").iterdir())
    status, headers, text = site.ask(
        "POST", "/contact", b"sender=a%40b.c&text=hi", {"Content-Type": "application/x-www-form-urlencoded"})
    assert status == 503 and headers["Retry-After"] and "problem+json" in headers["Content-Type"], (status, text)
    assert site.log().count("the broker is away; answered 503") == 3
