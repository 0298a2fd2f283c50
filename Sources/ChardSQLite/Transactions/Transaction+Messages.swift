// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB

/// Where messages are put: at the end of a queue, at its front, or aside until their time.
extension Transaction {
    /// Makes queues known.
    func note(_ queues: Set<String>) throws {
        for queue in queues {
            try db.run(
                "INSERT INTO queue (name, used) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET used = ?2", queue, time)
        }
    }

    /// Adds messages: each to the end of its queue, or aside until it is due.
    mutating func send(_ messages: [OutgoingMessage]) throws {
        for message in messages {
            let number = try nextMessageNumber()
            let step = Priority.step(for: message.priority)
            try db.run(
                "INSERT INTO message (number, queue, step, id, payload) VALUES (?, ?, ?, ?, ?)", number, message.queue,
                step, message.id, message.payload)
            if let dueAt = message.dueAt, dueAt > now {
                try db.run(
                    "INSERT INTO delayed (message, due, id) VALUES (?, ?, ?)", number, dueAt.timeIntervalSince1970,
                    message.id)
                tellDue(at: dueAt)
            } else {
                // Numbers only grow, so this is behind all that wait.
                try db.run(
                    "INSERT INTO waiting (queue, step, position, message) VALUES (?1, ?2, ?3, ?3)", message.queue, step,
                    number)
                tellWork(in: message.queue)
            }
        }
    }

    /// Puts a message, which is in none of the three places now, before all others of its queue and step that were sent.
    mutating func putInFront(_ message: Int64, queue: String, step: Int) throws {
        try db.run(
            """
            INSERT INTO waiting (queue, step, position, message)
            VALUES (?1, ?2, (
                SELECT ifnull(min(position), 1) - 1 FROM waiting WHERE queue = ?1 AND step = ?2 AND position >= ?4
            ), ?3)
            """, queue, step, message, Line.boundary)
        tellWork(in: queue)
    }

    /// Moves what is due to its line: the earliest foremost, whenever it is moved. Returns whether there may be more.
    mutating func promote(atMost limit: Int) throws -> Bool {
        let due = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT message.number, message.queue, message.step, due FROM delayed
                    JOIN message ON message.number = delayed.message WHERE due <= ? ORDER BY due LIMIT ?
                    """), arguments: [time, limit])
        for row in due {
            let (message, queue, step, due): (Int64, String, Int, Double) = (row[0], row[1], row[2], row[3])
            try db.run("DELETE FROM delayed WHERE message = ?", message)
            // Its time in microseconds, below what any message has that was sent. It is in the past, so this cannot overflow.
            let position = Int64(max(0, due) * 1e6) - (1 << 62)
            try db.run(
                "INSERT INTO waiting (queue, step, position, message) VALUES (?, ?, ?, ?)", queue, step, position,
                message)
            tellWork(in: queue)
        }
        return due.count == limit
    }

    /// Deletes messages that wait, at most `limit` and none that came after the number `last`. Returns how many.
    mutating func purge(_ queue: String, upTo last: Int64, atMost limit: Int) throws -> Int {
        let waiting = try Row.fetchAll(
            db.cachedStatement(
                sql: "SELECT step, position, message FROM waiting WHERE queue = ? AND message <= ? LIMIT ?"),
            arguments: [queue, last, limit])
        for row in waiting {
            try db.run(
                "DELETE FROM waiting WHERE queue = ? AND step = ? AND position = ? AND message = ?", queue,
                row[0] as Int, row[1] as Int64, row[2] as Int64)
            try forget(row[2])
        }
        return waiting.count
    }

    /// Deletes the messages that are delayed for a queue. Returns how many.
    mutating func purgeDelayed(_ queue: String, upTo last: Int64, atMost limit: Int) throws -> Int {
        let messages = try db.values(
            Int64.self,
            """
            SELECT delayed.message FROM delayed JOIN message ON message.number = delayed.message
            WHERE queue = ? AND delayed.message <= ? LIMIT ?
            """, queue, last, limit)
        for message in messages {
            try db.run("DELETE FROM delayed WHERE message = ?", message)
            try forget(message)
        }
        return messages.count
    }

    mutating func forget(_ message: Int64) throws {
        try countNumbers()
        try db.run("DELETE FROM message WHERE number = ?", message)
    }
}
