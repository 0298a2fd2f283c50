// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import GRDB

/// The tables, and which version of them a file has.
///
/// A message is one row of `message`, and one row in just one of `waiting`, `delayed` and `leased`. Moving it touches only
/// those small rows, never the message itself.
enum Schema {
    /// The version that this code reads and writes. Since 5 the counter of numbers may be behind those of the messages that are
    /// there, too.
    static let version = 6
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
            if found < 3 { try db.execute(sql: joins) }
            if found < 4 { try db.execute(sql: records) }
            if found < 5 { try db.execute(sql: seal) }
            if found < 6 { try db.execute(sql: history) }
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

    /// Since version 4.
    private static let records = """
        -- Records by their id, and since when they are listed, if they are. One that is forgotten loses its id and expires: its
        -- values may be too many to be deleted at once.
        CREATE TABLE record (
            number INTEGER PRIMARY KEY, id TEXT UNIQUE, listed REAL, expires REAL NOT NULL
        ) STRICT;
        CREATE INDEX record_by_expiry ON record (expires);
        CREATE INDEX record_listed ON record (number) WHERE listed NOTNULL;
        CREATE TABLE record_value (
            record INTEGER NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (record, name)
        ) STRICT, WITHOUT ROWID;
        """

    /// Since version 5.
    private static let seal = """
        -- The secret by which counted losses are believed, in its only row.
        CREATE TABLE seal (secret BLOB NOT NULL) STRICT;
        INSERT INTO seal VALUES (randomblob(16));
        """

    /// Since version 6.
    private static let history = """
        -- Attempts that are over, in the order in which they were told; good: as they should be.
        CREATE TABLE history (
            number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, ended REAL NOT NULL, good INTEGER NOT NULL,
            record BLOB NOT NULL
        ) STRICT;
        CREATE INDEX history_by_id ON history (id);
        CREATE INDEX history_of_bad ON history (number) WHERE good = 0;
        """

    /// Since version 3.
    private static let joins = """
        -- Joins by the id of their group; the size is NULL until one is opened, and again once all members have succeeded. One
        -- that is over or begun anew loses its id and expires: its ends may be too many to be deleted at once.
        CREATE TABLE joined (
            number INTEGER PRIMARY KEY, id TEXT UNIQUE, size INTEGER, members BLOB, count INTEGER NOT NULL DEFAULT 0,
            closed INTEGER NOT NULL DEFAULT 0, expires REAL
        ) STRICT;
        CREATE INDEX joined_by_expiry ON joined (expires) WHERE expires IS NOT NULL;

        -- The ends of members, as many as the count of their join says.
        CREATE TABLE join_end (
            number INTEGER PRIMARY KEY, joined INTEGER NOT NULL, member TEXT NOT NULL, place INTEGER,
            success INTEGER NOT NULL, json BLOB NOT NULL, UNIQUE (joined, member)
        ) STRICT;
        """

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
        -- Numbers that are given out once: of messages and statuses ('number'), and of changes to orders ('orders'). The last one
        -- given out is the greater of the first and the number of the newest message that is there.
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

        -- Of a queue and step, the message with the least position is next. A message that is sent gets its number as its
        -- position; one that goes to the front one less than all of these; one that was delayed a much lower one, by its time:
        -- those are a line of their own, and claims take from both lines by turns.
        CREATE TABLE waiting (
            queue TEXT NOT NULL, step INTEGER NOT NULL, position INTEGER NOT NULL, message INTEGER NOT NULL,
            PRIMARY KEY (queue, step, position, message)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE delayed (message INTEGER PRIMARY KEY, due REAL NOT NULL, id TEXT NOT NULL) STRICT;
        CREATE INDEX delayed_by_due ON delayed (due);
        CREATE INDEX delayed_by_id ON delayed (id);

        -- Ordered by turn (the claim) and position, the messages of a holder are in the order in which it got them.
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
