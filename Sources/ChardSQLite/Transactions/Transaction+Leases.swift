// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB

/// What a claim came to.
struct Claim: Sendable {
    /// The orders, where they were not the ones that the consumer knew, and what they say is to be cancelled.
    var news: (orders: Orders, terminated: Set<String>)?
    var deliveries: [Delivery] = []
    /// Whether there was room for more than there was.
    var isExhausted = true
}

/// Holding messages: a holder's row is the lease of all that `leased` says it holds.
extension Transaction {
    /// Makes a holder. Returns its number, which no other one ever had.
    func open(_ identity: String, _ subscription: Subscription, pid: Int, _ lifeline: Lifeline?) throws -> Int64 {
        try note(Set(subscription.queues))
        try db.run(
            """
            INSERT INTO holder (identity, node, pid, queues, concurrency, started, beat, seen, vitals, file, place)
            VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)
            """, identity, subscription.node, pid, Data(JSON.encode(subscription.queues)), subscription.concurrency,
            subscription.startedAt.timeIntervalSince1970, time, Data(JSON.encode(subscription.vitals())),
            lifeline?.file ?? 0, lifeline?.place ?? 0)
        return db.lastInsertedRowID
    }

    /// Says that a holder lives. Returns whether it is still one.
    func beat(_ holder: Int64, vitals: [UInt8]) throws -> Bool {
        try db.run(
            "UPDATE holder SET beat = beat + 1, seen = ?, vitals = ? WHERE number = ?", time, Data(vitals), holder) == 1
    }

    func isHolder(_ holder: Int64) throws -> Bool {
        try db.exists("SELECT 1 FROM holder WHERE number = ?", holder)
    }

    /// The number of a holder that is known by name.
    func holder(of identity: String) throws -> Int64? {
        try db.value(Int64.self, "SELECT number FROM holder WHERE identity = ?", identity)
    }

    /// Leases up to `count` messages: urgent steps first, and the queues of a step in turn, one message each. `nil` if the
    /// holder is one no more.
    ///
    /// What the consumer does not know of the orders is read first, in the same transaction: what they revoke or pause
    /// does not start.
    mutating func claim(upTo count: Int, for holder: Int64, from queues: [String], knowing known: Orders) throws
        -> Claim?
    {
        guard try isHolder(holder) else { return nil }
        var claim = Claim()
        claim.news = try Orders.news(db, since: known, now: time)
        let paused = (claim.news?.orders ?? known).paused
        let open = queues.filter { !paused.contains($0) }
        var room = count
        // What is claimed is held in memory.
        var bytes = 8 << 20
        for step in Priority.steps.indices where room > 0 && bytes > 0 {
            let available = try open.map { try self.available(in: $0, step: step, atMost: room) }
            let shares = Shares.of(available, room: room)
            var lines: [[Delivery]] = []
            for (queue, share) in zip(open, shares) {
                lines.append(try take(share, of: queue, step: step, for: holder, bytes: &bytes))
            }
            claim.deliveries += Shares.interleaved(lines)
            room = count - claim.deliveries.count
        }
        claim.isExhausted = room > 0 && bytes > 0
        return claim
    }

    private func available(in queue: String, step: Int, atMost limit: Int) throws -> Int {
        try db.value(
            Int.self, "SELECT count(*) FROM (SELECT 1 FROM waiting WHERE queue = ? AND step = ? LIMIT ?)", queue, step,
            limit) ?? 0
    }

    /// Leases the first `count` messages of a queue and step, fewer where they are large.
    private mutating func take(
        _ count: Int, of queue: String, step: Int, for holder: Int64, bytes: inout Int
    ) throws -> [Delivery] {
        guard count > 0, bytes > 0 else { return [] }
        var deliveries: [Delivery] = []
        var last: (position: Int64, message: Int64)?
        let rows = try db.rows(
            """
            SELECT waiting.position, message.number, message.payload FROM waiting
            JOIN message ON message.number = waiting.message
            WHERE waiting.queue = ? AND waiting.step = ? ORDER BY waiting.position, waiting.message LIMIT ?
            """, queue, step, count)
        while bytes > 0, let row = try rows.next() {
            let payload = try row.bytes(2)
            let place: (position: Int64, message: Int64) = (row[0], row[1])
            last = place
            bytes -= payload.count
            deliveries.append(Delivery(queue: queue, payload: payload, place: queue, number: place.message))
        }
        guard let last else { return [] }
        // All up to the last one, since they were read in order and nobody writes in between.
        try db.run(
            """
            INSERT INTO leased (holder, message, turn, position) SELECT ?, message, ?, position FROM waiting
            WHERE queue = ? AND step = ? AND (position, message) <= (?, ?)
            """, holder, nextNumber(), queue, step, last.position, last.message)
        try db.run(
            "DELETE FROM waiting WHERE queue = ? AND step = ? AND (position, message) <= (?, ?)", queue, step,
            last.position, last.message)
        return deliveries
    }

    /// Carries out a settlement, if its message is still leased to the holder: the deleted row is the fence.
    mutating func settle(_ settlement: Settlement, by holder: Int64) throws -> Receipt {
        let message = settlement.delivery.number
        guard try db.run("DELETE FROM leased WHERE holder = ? AND message = ?", holder, message) == 1 else {
            return .fenced
        }
        switch settlement.fate {
        case .finished:
            try forget(message)
        case .returned:
            let step = try db.value(Int.self, "SELECT step FROM message WHERE number = ?", message) ?? 0
            try putInFront(message, queue: settlement.delivery.queue, step: step)
        case .dead(let letter):
            try bury(letter)
            try forget(message)
        }
        if let status = settlement.status { try store(status) }
        try send(settlement.followers)
        return .settled
    }

    /// What a holder holds, the rearmost first: to be put before all others in this order.
    private func held(by holder: Int64) throws -> [(number: Int64, message: OutgoingMessage)] {
        let rows = try db.rows(
            """
            SELECT message.number, message.id, message.queue, message.step, message.payload FROM leased
            JOIN message ON message.number = leased.message WHERE holder = ?
            ORDER BY turn DESC, position DESC, message DESC
            """, holder)
        var held: [(Int64, OutgoingMessage)] = []
        while let row = try rows.next() {
            let message = OutgoingMessage(
                id: row[1], queue: row[2], priority: Priority.steps[row[3]], payload: try row.bytes(4))
            held.append((row[0], message))
        }
        return held
    }

    private func end(_ holder: Int64) throws {
        try db.run("DELETE FROM leased WHERE holder = ?", holder)
        try db.run("DELETE FROM last_chance WHERE holder = ?", holder)
        try db.run("DELETE FROM holder WHERE number = ?", holder)
    }

    /// Puts all that a holder holds before all others, uncounted, and ends it. Returns how many messages it was.
    @discardableResult
    mutating func handBack(_ holder: Int64) throws -> Int {
        let held = try held(by: holder)
        for (number, message) in held {
            try putInFront(number, queue: message.queue, step: Priority.step(for: message.priority))
        }
        try end(holder)
        return held.count
    }

    /// What a lost holder held.
    struct Recovered {
        var count = 0
        /// Of those that were lost too often.
        var buried: [StatusRecord] = []
    }

    /// Gives back what a lost holder held, each loss counted, and ends it. Returns nothing if the holder is gone, or has been
    /// heard of since `beat`.
    mutating func recover(_ holder: Int64, silentSince beat: Int64?) throws -> Recovered {
        var recovered = Recovered()
        guard
            let node = try db.value(
                String.self, "SELECT node FROM holder WHERE number = ?1 AND beat = ifnull(?2, beat)", holder, beat)
        else { return recovered }
        let noted = Set(try db.values(String.self, "SELECT id FROM last_chance WHERE holder = ?", holder))
        let held = try held(by: holder)
        for (number, message) in held {
            switch Recovery.of(message, from: node, maximumLosses: settings.maximumLosses, noted: noted, now: now) {
            case .again(let message):
                try db.run("UPDATE message SET payload = ? WHERE number = ?", Data(message.payload), number)
                try putInFront(number, queue: message.queue, step: Priority.step(for: message.priority))
            case .dead(let letter, let status):
                try bury(letter)
                try forget(number)
                guard let status else { continue }
                try store(status)
                recovered.buried.append(status)
            }
        }
        try end(holder)
        recovered.count = held.count
        return recovered
    }

    func noteLastChance(of id: String, by holder: Int64) throws {
        guard try isHolder(holder) else { return }
        try db.run("INSERT OR IGNORE INTO last_chance (holder, id) VALUES (?, ?)", holder, id)
    }
}
