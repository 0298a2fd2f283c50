// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import GRDB

/// The tables, and which version of them a file has.
///
/// A message is one row of `message`, and one row in just one of `waiting`, `scheduled` and `leased`. Moving it touches only
/// those small rows, never the message itself.
enum Schema {
    /// The version that this code reads and writes.
    static let version = 2
    /// "chrd": marks a file as ours, as SQLite's `application_id`.
    static let application = 0x6368_7264

    /// Brings a file up to date; several processes may do so at once.
    static func prepare(_ db: Database, at path: String) throws {
        try db.inTransaction(.immediate) {
            let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
            try check(found, at: path)
            guard found < version else { return .commit }
            if found < 1 { try db.execute(sql: tables) }
            if found < 2 { try db.execute(sql: schedules) }
            try db.execute(sql: "PRAGMA application_id = \(application); PRAGMA user_version = \(version)")
            return .commit
        }
    }

    /// Refuses a file that a later version of Chard has written.
    static func check(_ found: Int, at path: String) throws {
        guard found > version else { return }
        throw BrokerError(
            .incompatible,
            "\(path) was written by a newer version of Chard (its schema is \(found), this one knows \(version)); update "
                + "Chard, or name another file")
    }

    /// Since version 2.
    private static let schedules = """
        -- Times are milliseconds since 1970. The number of the last change of any schedule is the counter 'schedules'.
        CREATE TABLE schedule (
            name TEXT PRIMARY KEY, version INTEGER NOT NULL, configuration BLOB NOT NULL, last INTEGER NOT NULL,
            tick INTEGER, at INTEGER, task TEXT, sent INTEGER NOT NULL DEFAULT 0, dropped INTEGER NOT NULL DEFAULT 0
        ) STRICT, WITHOUT ROWID;
        INSERT INTO counter VALUES ('schedules', 0);
        """

    private static let tables = """
        -- Numbers that are given out once: of messages and statuses ('number'), and of changes to orders ('orders').
        CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        INSERT INTO counter VALUES ('number', 0), ('orders', 0);

        -- The queues that are known, and when each was last used, in seconds since 1970.
        CREATE TABLE queue (
            name TEXT PRIMARY KEY, used REAL NOT NULL, paused INTEGER NOT NULL DEFAULT 0
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE message (
            number INTEGER PRIMARY KEY, queue TEXT NOT NULL, step INTEGER NOT NULL, id TEXT NOT NULL,
            payload BLOB NOT NULL
        ) STRICT;

        -- The least position of a queue and step is next. What is sent gets its number as its position; what was
        -- scheduled, its time, reckoned to be less than any number; what goes back to the front, one less than all others.
        CREATE TABLE waiting (
            queue TEXT NOT NULL, step INTEGER NOT NULL, position INTEGER NOT NULL, message INTEGER NOT NULL,
            PRIMARY KEY (queue, step, position, message)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE scheduled (message INTEGER PRIMARY KEY, due REAL NOT NULL, id TEXT NOT NULL) STRICT;
        CREATE INDEX scheduled_by_due ON scheduled (due);
        CREATE INDEX scheduled_by_id ON scheduled (id);

        -- By turn and position, what a holder has stands in the order in which it came.
        CREATE TABLE leased (
            holder INTEGER NOT NULL, message INTEGER NOT NULL, turn INTEGER NOT NULL, position INTEGER NOT NULL,
            PRIMARY KEY (holder, message)
        ) STRICT, WITHOUT ROWID;

        -- A consumer. Its row is the lease of all it holds: once somebody has deleted it, nothing of it is written.
        CREATE TABLE holder (
            number INTEGER PRIMARY KEY AUTOINCREMENT, identity TEXT NOT NULL UNIQUE, node TEXT NOT NULL,
            pid INTEGER NOT NULL, queues BLOB NOT NULL, concurrency INTEGER NOT NULL, started REAL NOT NULL,
            beat INTEGER NOT NULL, seen REAL NOT NULL, vitals BLOB NOT NULL,
            file INTEGER NOT NULL, place INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE last_chance (
            holder INTEGER NOT NULL, id TEXT NOT NULL, PRIMARY KEY (holder, id)
        ) STRICT, WITHOUT ROWID;

        -- Each status gets a new number, so that what is new can be read from where one left off; the one before it is
        -- kept for a moment, for those who wait to be told of each.
        CREATE TABLE status (
            number INTEGER PRIMARY KEY, id TEXT NOT NULL, present INTEGER NOT NULL, success INTEGER NOT NULL,
            json BLOB NOT NULL, expires REAL
        ) STRICT;
        CREATE UNIQUE INDEX status_by_id ON status (id) WHERE present = 1;
        CREATE INDEX status_by_expiry ON status (expires) WHERE expires IS NOT NULL;

        CREATE TABLE dead (
            number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, queue TEXT NOT NULL, died REAL NOT NULL,
            story BLOB NOT NULL, payload BLOB NOT NULL
        ) STRICT;
        CREATE INDEX dead_by_queue ON dead (queue, died);

        CREATE TABLE revoked (
            id TEXT PRIMARY KEY, until REAL NOT NULL, terminating INTEGER NOT NULL, number INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """
}
