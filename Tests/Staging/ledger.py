# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""What the site's database says came of it, beside what the visitors were told."""

import datetime
import sqlite3


class Ledger:
    def __init__(self, path):
        self.path = path
        # Each closing is written down, so that a second one shows.
        self.change("CREATE TABLE IF NOT EXISTS closing (poll INTEGER, at TEXT)")
        self.change("""CREATE TRIGGER IF NOT EXISTS closes AFTER UPDATE OF closedAt ON poll
            BEGIN INSERT INTO closing VALUES (new.id, new.closedAt); END""")

    def change(self, statement):
        connection = sqlite3.connect(self.path, timeout=10)
        with connection:
            connection.execute(statement)
        connection.close()

    def ask(self, query):
        connection = sqlite3.connect(self.path, timeout=10)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    @property
    def open_polls(self):
        return self.ask("SELECT count(*) FROM poll WHERE closedAt IS NULL")[0][0]

    def check(self, visitors):
        """Raises where anything was lost or doubled. Returns what there was, in words."""
        rows = self.ask("""SELECT poll.question, poll.closesAt, poll.closedAt, sum(choice.votes) FROM poll
            JOIN choice ON choice.pollId = poll.id GROUP BY poll.id""")
        counts = {}
        for question, *_ in rows:
            counts[question] = counts.get(question, 0) + 1
        made = [question for question, address in visitors.polls.items() if address]
        in_doubt = [question for question, address in visitors.polls.items() if not address]
        lost = [question for question in made if counts.get(question, 0) == 0]
        doubled = [question for question, count in counts.items() if count > 1]
        strange = [question for question in counts if question not in visitors.polls]
        assert not (lost or doubled or strange), f"lost {lost}, doubled {doubled}, unknown {strange}"
        twice = self.ask("SELECT poll, count(*) FROM closing GROUP BY poll HAVING count(*) > 1")
        never = self.ask("SELECT id FROM poll WHERE id NOT IN (SELECT poll FROM closing)")
        early = [question for question, closes, closed, _ in rows if closed < closes]
        assert not (twice or never or early), f"closed twice {twice}, never {never}, early {early}"
        for question, _, _, votes in rows:
            least = visitors.votes.get(question, 0)
            most = least + visitors.votes_in_doubt.get(question, 0)
            assert least <= votes <= most, f"{question} has {votes} votes of {least} to {most}"
        lateness = sorted((time(closed) - time(closes)).total_seconds() for _, closes, closed, _ in rows)
        there = sum(1 for question in in_doubt if question in counts)
        middle, last = lateness[len(lateness) // 2], lateness[-1]
        acknowledged, unanswered = sum(visitors.votes.values()), sum(visitors.votes_in_doubt.values())
        polls = f"{len(rows)} polls, each there once: all {len(made)} acknowledged ones"
        if in_doubt:
            polls += f", and {there} of the {len(in_doubt)} that had no answer"
        return [
            polls,
            f"each closed once, none before its time: half within {middle:.2f} s after it, all within {last:.1f} s",
            f"{sum(row[3] for row in rows)} votes: all {acknowledged} acknowledged ones, none doubled; {unanswered} had no "
            f"answer, {visitors.refused} came too late",
        ]


def time(text):
    return datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f")
