// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB

/// Reading what waits, what is held, and what is delayed.
enum StoredMessage {
    /// Whether anything waits in a queue.
    static func waits(_ db: Database, in queue: String) throws -> Bool {
        try db.exists("SELECT 1 FROM waiting WHERE queue = ? LIMIT 1", queue)
    }

    /// The messages that wait in a queue, the next one first.
    static func waiting(
        _ db: Database, in queue: String, from first: Int, limit: Int, messageLimit: Int
    ) throws -> [PeekedMessage] {
        let rows = try db.rows(
            """
            SELECT message, step, NULL FROM waiting WHERE queue = ? ORDER BY step, position, message LIMIT ? OFFSET ?
            """, queue, limit, max(0, first))
        return try peek(at: rows, of: queue, messageLimit, db)
    }

    /// The messages of a queue that are held: by holder and step, what was taken first foremost.
    static func leased(
        _ db: Database, of queue: String, limit: Int, messageLimit: Int
    ) throws -> [PeekedMessage] {
        let rows = try db.rows(
            """
            SELECT leased.message, step, identity FROM leased JOIN holder ON holder.number = leased.holder
            JOIN message ON message.number = leased.message
            WHERE queue = ? ORDER BY identity, step, turn, position LIMIT ?
            """, queue, limit)
        return try peek(at: rows, of: queue, messageLimit, db)
    }

    /// Reads the messages whose numbers, steps and holders are given. Of each, only what is shown is copied.
    private static func peek(
        at rows: RowCursor, of queue: String, _ messageLimit: Int, _ db: Database
    ) throws -> [PeekedMessage] {
        var messages: [PeekedMessage] = []
        while let row = try rows.next() {
            let (number, step, holder): (Int64, Int, String?) = (row[0], row[1], row[2])
            let found = try db.rows("SELECT payload FROM message WHERE number = ?", number)
            guard let message = try found.next() else { continue }
            messages.append(
                try message.withUnsafeData(atIndex: 0) { payload in
                    PeekedMessage(
                        queue: queue, priority: Priority.steps[step], whole: payload ?? Data(), limit: messageLimit,
                        holder: holder)
                })
        }
        return messages
    }

    /// The step of a message that is there.
    static func step(_ db: Database, of message: Int64) throws -> Int? {
        try db.value(Int.self, "SELECT step FROM message WHERE number = ?", message)
    }

    /// When the next delayed message is due.
    @Sendable
    static func nextDue(_ db: Database) throws -> Date? {
        try db.value(Double.self, "SELECT min(due) FROM delayed").map { Date(timeIntervalSince1970: $0) }
    }

    /// Delayed messages of a queue, or of all, the earliest first.
    static func delayed(_ db: Database, for queue: String?, limit: Int) throws -> [DelayedTask] {
        let rows = try db.rows(
            """
            SELECT delayed.id, queue, due, step, payload FROM delayed JOIN message ON message.number = delayed.message
            WHERE ?1 IS NULL OR queue = ?1 ORDER BY due LIMIT ?2
            """, queue, limit)
        var tasks: [DelayedTask] = []
        while let row = try rows.next() { tasks.append(try DelayedTask(row)) }
        return tasks
    }

    /// One delayed message: of several with this id, the earliest.
    static func delayed(_ db: Database, id: String) throws -> DelayedTask? {
        let rows = try db.rows(
            """
            SELECT delayed.id, queue, due, step, payload FROM delayed JOIN message ON message.number = delayed.message
            WHERE delayed.id = ? ORDER BY due LIMIT 1
            """, id)
        return try rows.next().map(DelayedTask.init)
    }
}

extension DelayedTask {
    fileprivate init(_ row: Row) throws {
        let step: Int = row[3]
        self.init(
            name: row[0], queue: row[1], dueAt: Date(timeIntervalSince1970: row[2]), priority: Priority.steps[step],
            payload: try row.bytes(4))
    }
}
