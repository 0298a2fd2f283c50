// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB

extension KnownOrders {
    /// The number of the last change.
    fileprivate static func number(_ db: Database) throws -> Int {
        try db.value(Int.self, "SELECT value FROM counter WHERE name = 'orders'") ?? 0
    }

    /// The present orders.
    static func present(_ db: Database, now: Double) throws -> KnownOrders {
        var orders = KnownOrders()
        orders.number = try number(db)
        orders.paused = Set(try db.values(String.self, "SELECT name FROM queue WHERE paused = 1"))
        orders.revoked = Set(try db.values(String.self, "SELECT id FROM revoked WHERE until > ?", now))
        return orders
    }

    /// The present orders, and which runs they cancel, if they are not the ones that are known.
    static func news(
        _ db: Database, since known: KnownOrders, now: Double
    ) throws -> (orders: KnownOrders, terminated: Set<String>)? {
        guard try number(db) != known.number else { return nil }
        let terminated = try db.values(
            String.self, "SELECT id FROM revoked WHERE terminating = 1 AND number > ?", known.number)
        return (try present(db, now: now), Set(terminated))
    }

    /// The revocations that are not yet forgotten.
    static func revocations(_ db: Database, now: Date) throws -> [(id: String, until: Date)] {
        let rows = try db.rows("SELECT id, until FROM revoked WHERE until > ?", now.timeIntervalSince1970)
        var revocations: [(id: String, until: Date)] = []
        while let row = try rows.next() {
            revocations.append((row[0], Date(timeIntervalSince1970: row[1])))
        }
        return revocations
    }
}

extension Transaction {
    /// Counts a change of orders. Returns its number.
    private mutating func nextOrder() throws -> Int {
        tellOrders()
        try db.run("UPDATE counter SET value = value + 1 WHERE name = 'orders'")
        return try KnownOrders.number(db)
    }

    /// Revokes tasks and removes their delayed copies; the status of those says so, since they will not run.
    mutating func revoke(
        _ ids: [String], terminating: Bool, timeToLive: Duration, statusLifetime: Duration
    ) throws -> [String] {
        var removed: [String] = []
        let number = try nextOrder()
        let until = time + timeToLive.seconds
        for id in ids {
            try db.run(
                """
                INSERT INTO revoked (id, until, terminating, number) VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT DO UPDATE SET until = ?2, terminating = ?3, number = ?4
                """, id, until, terminating, number)
            let messages = try db.values(Int64.self, "SELECT message FROM delayed WHERE id = ?", id)
            for message in messages {
                try db.run("DELETE FROM delayed WHERE message = ?", message)
                try forget(message)
            }
            guard !messages.isEmpty else { continue }
            try store(StatusRecord.revoked(id, at: now, timeToLive: statusLifetime))
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
