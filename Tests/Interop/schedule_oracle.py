# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0
"""The ticks of cron expressions around every change of every time zone, reckoned without Chard.

croniter says which times of the clock on the wall an expression means, zoneinfo when a zone's clock shows them, and the rule
for gaps and repeated hours is written here once more, from its wording:

- An expression that names hours goes by the clock on the wall: a time that the clock jumps over comes at the first instant
  after the gap, one that is shown twice comes the first time.
- One that means every hour comes whenever the clock shows such a time.

Prints `form INDEX REACH TEXT RULE` for each expression, then for each zone `zone NAME`, `changes SECONDS...`, and for each
expression `INDEX COUNT CRC`: how many ticks are within REACH seconds of the changes, and the CRC-32 of their times as 64-bit
integers, least byte first. For expressions that come at most daily, the last tick before and the first after that are
counted with them.

  schedule_oracle.py           one zone for each set of zones that are copies of each other, of many changes a seventh
  schedule_oracle.py --full    every zone and change
  schedule_oracle.py --zone Z --form N    lists the ticks themselves
"""

import argparse
import struct
import sys
import zlib
from bisect import bisect_left
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo, available_timezones

from croniter import croniter

HOUR, DAY = 3600, 86400
EPOCH = datetime(1970, 1, 1)
# Beyond 2037 many files have no table, only a rule.
FIRST_YEAR, LAST_YEAR = 2000, 2040

# The expression, how croniter writes it where it does so differently, and the day rule.
FORMS = [
    ("30 2 * * *", None, "both"),
    ("0 0 * * *", None, "both"),
    ("0 1 * * *", None, "both"),
    ("59 23 * * *", None, "both"),
    ("0 3 * * *", None, "both"),
    ("*/15 2 * * *", None, "both"),
    ("30 0-4 * * *", None, "both"),
    ("0 */2 * * *", None, "both"),
    ("10 30 1,2,3 * * *", None, "both"),
    ("30 2 * * SUN", None, "both"),
    ("15 2 * * 0L", "15 2 * * L0", "both"),
    ("45 2 * 3,10,11 7#2", "45 2 * 3,10,11 0#2", "both"),
    ("30 2 25-31 * sun", None, "both"),
    ("30 2 1,15 * MON", None, "either"),
    ("0 0 L * *", None, "both"),
    ("0 0 1 JAN,APR *", None, "both"),
    ("0 12 29 2 *", None, "both"),
    ("0 * * * *", None, "both"),
    ("*/15 * * * *", None, "both"),
    ("*/20 */1 * * 0", None, "both"),
    ("20,40 59 0-23 * * *", None, "both"),
    ("7 * 1-7 * *", None, "both"),
]


def fields(text):
    parts = text.split()
    return parts if len(parts) == 6 else ["0"] + parts


def is_real(text):
    return fields(text)[2] in ("*", "*/1", "0-23")


def seconds(local):
    return (local - EPOCH) // timedelta(seconds=1)


class Form:
    """The times of the clock on the wall that an expression means, as seconds in a zone without changes."""

    def __init__(self, text, peer, rule):
        self.text, self.rule, self.is_real = text, rule, is_real(text)
        self.reach = 5 * HOUR if self.is_real else 30 * HOUR
        is_daily = all(field == "*" for field in fields(text)[3:])
        first = datetime(FIRST_YEAR, 1, 1) - timedelta(days=1700 if not is_daily else 0)
        last = first + timedelta(days=1) if is_daily else datetime(LAST_YEAR + 9, 1, 1)
        times = [
            seconds(time)
            for time in self.run(peer or text, rule, first, last)
        ]
        self.is_rare = not self.is_real and len(times) <= (1 if is_daily else (last - first).days)
        self.pattern = [time % DAY for time in times] if is_daily else None
        self.times = times

    @staticmethod
    def run(text, rule, first, last):
        parts = text.split()
        iterator = croniter(
            text, first - timedelta(seconds=1), day_or=rule == "either", second_at_beginning=len(parts) == 6
        )
        while (time := iterator.get_next(datetime)) < last:
            yield time

    def between(self, first, last):
        """All from `first` to `last`."""
        if self.pattern is None:
            return self.times[bisect_left(self.times, first) : bisect_left(self.times, last + 1)]
        return [
            time
            for day in range(first // DAY * DAY, last + 1, DAY)
            for time in (day + part for part in self.pattern)
            if first <= time <= last
        ]

    def ticks(self, zone, first, last):
        """All instants from `first` to `last`, in order, each once."""
        ticks = set()
        for local in self.between(first - 27 * HOUR, last + 27 * HOUR):
            ticks.update(zone.real(local) if self.is_real else [zone.fixed(local)])
        return sorted(tick for tick in ticks if first <= tick <= last)

    def far(self, zone, first, last):
        """The nearest instants before `first` and after `last`, for expressions that come once a day or less."""
        if self.pattern is None:
            before = bisect_left(self.times, first + 27 * HOUR)
            after = bisect_left(self.times, last - 27 * HOUR)
            earlier, later = self.times[max(0, before - 6) : before], self.times[after : after + 6]
        else:
            earlier = self.between(first - 3 * DAY, first + 27 * HOUR)
            later = self.between(last - 27 * HOUR, last + 3 * DAY)
        return [
            max(tick for tick in map(zone.fixed, earlier) if tick < first),
            min(tick for tick in map(zone.fixed, later) if tick > last),
        ]


class Zone:
    def __init__(self, name):
        self.name = name
        self.info = ZoneInfo(name)

    def offset(self, instant):
        return int(datetime.fromtimestamp(instant, self.info).utcoffset().total_seconds())

    def folds(self, local):
        """The instants that Python takes a local time for, under the offset before a change and after it."""
        time = EPOCH + timedelta(seconds=local)
        offset = time.replace(tzinfo=self.info).utcoffset()
        other = time.replace(tzinfo=self.info, fold=1).utcoffset()
        first = local - int(offset.total_seconds())
        return (first, first) if offset == other else (first, local - int(other.total_seconds()))

    def shows(self, instant, local):
        return instant + self.offset(instant) == local

    def real(self, local):
        first, second = self.folds(local)
        if first == second:
            return [first]
        return [instant for instant in (first, second) if self.shows(instant, local)]

    def fixed(self, local):
        first, second = self.folds(local)
        if first == second or self.shows(first, local):
            return first
        # In a gap the two lie on the wrong sides of it.
        return self.change(min(first, second), max(first, second))

    def change(self, low, high):
        """The first instant with the offset of `high`, where there is one change between the two."""
        after = self.offset(high)
        while low + 1 < high:
            middle = (low + high) // 2
            if self.offset(middle) == after:
                high = middle
            else:
                low = middle
        return high

    def changes(self, step=DAY):
        """The changes, of which at most one lies within a step."""
        found = []
        start = int(datetime(FIRST_YEAR, 1, 1, tzinfo=timezone.utc).timestamp())
        end = int(datetime(LAST_YEAR + 1, 1, 1, tzinfo=timezone.utc).timestamp())
        before = self.offset(start)
        for time in range(start, end, step):
            offset = self.offset(time + step)
            if offset != before:
                found.append(self.change(time, time + step))
            before = offset
        return found

    def ticks(self, form, changes):
        for change in changes:
            yield from form.ticks(self, change - form.reach, change + form.reach)
            if form.is_rare:
                yield from form.far(self, change - form.reach, change + form.reach)


def distinct(names):
    """One of each set of zones whose files are the same."""
    seen = set()
    for name in names:
        path = next(path for root in TZPATH if (path := Path(root, name)).is_file())
        data = path.read_bytes()
        if data not in seen:
            seen.add(data)
            yield name


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--zone")
    parser.add_argument("--form", type=int)
    options = parser.parse_args()
    if options.zone:
        zone = Zone(options.zone)
        print(*zone.ticks(Form(*FORMS[options.form]), zone.changes()), sep="\n")
        return
    forms = [Form(*form) for form in FORMS]
    for index, form in enumerate(forms):
        print("form", index, form.reach, int(form.is_rare), form.rule, form.text)
    names = sorted(name for name in available_timezones() if not name.startswith(("posix/", "right/")))
    for number, name in enumerate(names if options.full else distinct(names)):
        zone = Zone(name)
        changes = zone.changes() if options.full else zone.changes(step=7 * DAY)
        if not changes:
            continue
        if len(changes) > 14 and not options.full:
            changes = changes[number % 7 :: 7]
        print("zone", name)
        print("changes", *changes)
        for index, form in enumerate(forms):
            ticks = list(zone.ticks(form, changes))
            print(index, len(ticks), zlib.crc32(struct.pack(f"<{len(ticks)}q", *ticks)))
        sys.stdout.flush()


main()
