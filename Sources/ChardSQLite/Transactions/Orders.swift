// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB

/// What the operator has ordered, as one process knows it.
struct Orders: Sendable, Hashable {
    /// The number of the last change that is in here.
    var number: Int64 = -1
    /// The ids of revoked tasks.
    var revoked: Set<String> = []
    /// The queues that nobody may take from.
    var paused: Set<String> = []

    /// The number of the last change.
    static func number(_ db: Database) throws -> Int64 {
        try db.value(Int64.self, "SELECT value FROM counter WHERE name = 'orders'") ?? 0
    }

    /// The present orders, and which runs they cancel, if they are not the ones that are known.
    static func news(
        _ db: Database, since known: Orders, now: Double
    ) throws -> (orders: Orders, terminated: Set<String>)? {
        let number = try number(db)
        guard number != known.number else { return nil }
        var orders = Orders(number: number)
        orders.paused = Set(try db.values(String.self, "SELECT name FROM queue WHERE paused = 1"))
        orders.revoked = Set(try db.values(String.self, "SELECT id FROM revoked WHERE until > ?", now))
        // Whoever has just opened a hold runs nothing yet.
        guard known.number >= 0 else { return (orders, []) }
        let terminated = try db.values(
            String.self, "SELECT id FROM revoked WHERE terminating = 1 AND number > ?", known.number)
        return (orders, Set(terminated))
    }
}

extension Transaction {
    private mutating func nextOrder() throws -> Int64 {
        try db.run("UPDATE counter SET value = value + 1 WHERE name = 'orders'")
        tellOrders()
        return try Orders.number(db)
    }

    /// Revokes tasks and removes their scheduled copies; the status of those says so, since they will not run.
    mutating func revoke(_ ids: [String], terminating: Bool, timeToLive: Duration) throws -> [String] {
        var removed: [String] = []
        let number = try nextOrder()
        let until = time + timeToLive.seconds
        for id in ids {
            try db.run(
                """
                INSERT INTO revoked (id, until, terminating, number) VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT DO UPDATE SET until = ?2, terminating = ?3, number = ?4
                """, id, until, terminating, number)
            let messages = try db.values(Int64.self, "SELECT message FROM scheduled WHERE id = ?", id)
            for message in messages {
                try db.run("DELETE FROM scheduled WHERE message = ?", message)
                try forget(message)
            }
            guard !messages.isEmpty else { continue }
            try store(StatusRecord.revoked(id, at: now))
            removed.append(id)
        }
        return removed
    }

    /// Pauses or resumes a queue. Returns whether that changes anything.
    mutating func setPaused(_ isPaused: Bool, _ queue: String) throws -> Bool {
        try note([queue])
        let changed = try db.run(
            "UPDATE queue SET paused = ?1 WHERE name = ?2 AND paused != ?1", isPaused, queue)
        guard changed == 1 else { return false }
        _ = try nextOrder()
        return true
    }
}
