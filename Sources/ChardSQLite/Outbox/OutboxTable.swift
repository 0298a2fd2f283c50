// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB

/// A message in an outbox.
struct OutboxRow: Sendable {
    let number: Int64
    let id: String
    let payload: [UInt8]
    /// What its call has said about who holds it until its time.
    let workerHoldsETA: Bool?
    /// Whether it was taken before by somebody who did not say what became of it.
    let isInDoubt: Bool
}

/// The table of an outbox, in the app's own database.
enum OutboxTable {
    static func make(in db: Database) throws {
        // taken: since when somebody sends it, in seconds since 1970; 0 where it is in doubt, and free. problem: why it cannot be sent.
        try db.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS chard_outbox (
                    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, payload BLOB NOT NULL, taken REAL, problem TEXT
                )
                """)
        // Not in the table of 0.2.0, which may hold messages still, and whose programs may go on writing to it.
        if try !db.columns(in: "chard_outbox").contains(where: { $0.name == "workerHoldsETA" }) {
            try db.execute(sql: "ALTER TABLE chard_outbox ADD COLUMN workerHoldsETA BOOLEAN")
        }
    }

    static func add(_ message: OutgoingMessage, workerHoldsETA: Bool?, in db: Database) throws {
        try db.execute(
            sql: "INSERT INTO chard_outbox (id, payload, workerHoldsETA) VALUES (?, ?, ?)",
            arguments: [message.id, Data(message.payload), workerHoldsETA])
    }

    static func count(in db: Database) throws -> Int {
        try Int.fetchOne(db, sql: "SELECT count(*) FROM chard_outbox") ?? 0
    }

    /// Takes messages in order to send them: so no other process sends them meanwhile.
    static func take(atMost limit: Int, at now: Double, takenBefore: Double, in db: Database) throws -> [OutboxRow] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT number, id, payload, taken NOTNULL, workerHoldsETA FROM chard_outbox
                WHERE problem IS NULL AND (taken IS NULL OR taken < ?) ORDER BY number LIMIT ?
                """, arguments: [takenBefore, limit]
        ).map {
            OutboxRow(
                number: $0[0], id: $0[1], payload: try $0.bytes(2), workerHoldsETA: $0[4], isInDoubt: $0[3])
        }
        for row in rows {
            try db.execute(sql: "UPDATE chard_outbox SET taken = ? WHERE number = ?", arguments: [now, row.number])
        }
        return rows
    }

    static func remove(_ numbers: Set<Int64>, in db: Database) throws {
        for number in numbers {
            try db.execute(sql: "DELETE FROM chard_outbox WHERE number = ?", arguments: [number])
        }
    }

    static func release(_ numbers: [Int64], in db: Database) throws {
        for number in numbers {
            try db.execute(sql: "UPDATE chard_outbox SET taken = 0 WHERE number = ?", arguments: [number])
        }
    }

    static func note(problem: String, of number: Int64, in db: Database) throws {
        try db.execute(sql: "UPDATE chard_outbox SET problem = ? WHERE number = ?", arguments: [problem, number])
    }

    static func forgetProblems(in db: Database) throws {
        try db.execute(sql: "UPDATE chard_outbox SET problem = NULL WHERE problem NOTNULL")
    }
}
