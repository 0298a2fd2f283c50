// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB

/// What a claim came to.
struct Claim: Sendable {
    /// The orders, where they were not the ones that the consumer knew, and what they say is to be cancelled.
    var news: (orders: KnownOrders, terminated: Set<String>)?
    var deliveries: [Delivery] = []
    /// Whether all that waited was taken.
    var isExhausted = true
}

/// Holding messages: a holder's row is the lease of all that `leased` says it holds.
extension Transaction {
    /// Makes a holder. Returns its number, which no other one ever had.
    func open(_ identity: String, _ subscription: Subscription, pid: Int, _ lock: LockPlace?) throws -> Int64 {
        try note(Set(subscription.queues))
        try db.run(
            """
            INSERT INTO holder (identity, node, pid, queues, concurrency, started, beat, seen, vitals, file, place)
            VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)
            """, identity, subscription.node, pid, JSON.encode(subscription.queues), subscription.concurrency,
            subscription.startedAt.timeIntervalSince1970, time, subscription.vitals().text,
            lock?.file ?? 0, lock?.place ?? 0)
        return db.lastInsertedRowID
    }

    /// Says that a holder lives. Returns whether it is still one.
    func beat(_ holder: Int64, vitals: [UInt8]) throws -> Bool {
        try db.run(
            "UPDATE holder SET beat = beat + 1, seen = ?, vitals = ? WHERE number = ?", time, vitals, holder) == 1
    }

    func isHolder(_ holder: Int64) throws -> Bool {
        try db.exists("SELECT 1 FROM holder WHERE number = ?", holder)
    }

    /// The number of a holder that is known by name.
    func holder(of identity: String) throws -> Int64? {
        try db.value(Int64.self, "SELECT number FROM holder WHERE identity = ?", identity)
    }

    /// Leases up to `count` messages: urgent steps first, and the lines of a step in turn, one message each: of each queue what is
    /// due and what was sent. Which queue is the first, and which kind of line, goes by `turn`. `nil` if the holder is one no more.
    ///
    /// What the consumer does not know of the orders is read first, in the same transaction: what they revoke or pause
    /// does not start.
    mutating func claim(
        upTo count: Int, for holder: Int64, from queues: [String], turn: Int, knowing known: KnownOrders
    ) throws -> Claim? {
        guard try isHolder(holder) else { return nil }
        var claim = Claim()
        claim.news = try KnownOrders.news(db, since: known, now: time)
        let paused = (claim.news?.orders ?? known).paused
        let unpaused = queues.filter { !paused.contains($0) }
        let inTurn = unpaused.indices.map { unpaused[($0 + turn) % unpaused.count] }
        let isDueFirst = turn / max(1, inTurn.count) % 2 == 0
        let open = [isDueFirst, !isDueFirst].flatMap { isDue in inTurn.map { Line($0, isDue: isDue) } }
        var room = count
        // What is claimed is held in memory, so a claim ends after 8 MiB.
        var bytes = 8 << 20
        for step in Priority.steps.indices where room > 0 && bytes > 0 {
            let available = try open.map { try self.available(in: $0, step: step, atMost: room) }
            let shares = Shares.of(available, room: room)
            var lines: [[Delivery]] = []
            for (line, share) in zip(open, shares) {
                lines.append(try take(share, of: line, step: step, for: holder, bytes: &bytes))
            }
            claim.deliveries += Shares.interleaved(lines)
            room = count - claim.deliveries.count
        }
        claim.isExhausted = room > 0 && bytes > 0
        return claim
    }

    private func available(in line: Line, step: Int, atMost limit: Int) throws -> Int {
        try db.value(
            Int.self,
            """
            SELECT count(*) FROM (
                SELECT 1 FROM waiting WHERE queue = ? AND step = ? AND position >= ? AND position < ? LIMIT ?
            )
            """, line.queue, step, line.start, line.end, limit) ?? 0
    }

    /// Leases the first `count` messages of a line and step, fewer where they are large.
    private mutating func take(
        _ count: Int, of line: Line, step: Int, for holder: Int64, bytes: inout Int
    ) throws -> [Delivery] {
        guard count > 0, bytes > 0 else { return [] }
        var deliveries: [Delivery] = []
        var last: (position: Int64, message: Int64)?
        let rows = try db.rows(
            """
            SELECT waiting.position, message.number, message.payload FROM waiting
            JOIN message ON message.number = waiting.message
            WHERE waiting.queue = ? AND waiting.step = ? AND waiting.position >= ? AND waiting.position < ?
            ORDER BY waiting.position, waiting.message LIMIT ?
            """, line.queue, step, line.start, line.end, count)
        while bytes > 0, let row = try rows.next() {
            let payload = try row.bytes(2)
            let place: (position: Int64, message: Int64) = (row[0], row[1])
            last = place
            bytes -= payload.count
            deliveries.append(
                Delivery(queue: line.queue, payload: payload, place: line.queue, number: place.message))
        }
        guard let last else { return [] }
        // All up to the last one, since they were read in order and nobody writes in between.
        try db.run(
            """
            INSERT INTO leased (holder, message, turn, position) SELECT ?, message, ?, position FROM waiting
            WHERE queue = ? AND step = ? AND position >= ? AND (position, message) <= (?, ?)
            """, holder, nextNumber(), line.queue, step, line.start, last.position, last.message)
        try db.run(
            """
            DELETE FROM waiting WHERE queue = ? AND step = ? AND position >= ? AND (position, message) <= (?, ?)
            """, line.queue, step, line.start, last.position, last.message)
        return deliveries
    }

    /// Carries out a settlement, if its message is still leased to the holder: the deleted row is the fence. Nothing is
    /// written where a join wants it otherwise.
    mutating func settle(_ settlement: Settlement, by holder: Int64) throws -> Receipt {
        let message = settlement.delivery.number
        if let answers = try withholding(settlement.effects) {
            let isLeased = try db.exists("SELECT 1 FROM leased WHERE holder = ? AND message = ?", holder, message)
            return isLeased ? Receipt(.withheld, answers: answers) : .fenced
        }
        guard try db.run("DELETE FROM leased WHERE holder = ? AND message = ?", holder, message) == 1 else {
            return .fenced
        }
        let step = try db.value(Int.self, "SELECT step FROM message WHERE number = ?", message) ?? 0
        let taken = Taken(number: message, queue: settlement.delivery.queue, step: step)
        return Receipt(.settled, answers: try write(settlement.effects, taking: taken))
    }

    /// What joins have to say, up to the one by which nothing is to be written; `nil` if there is none.
    private func withholding(_ effects: Effects) throws -> [Effect.Answer]? {
        var answers: [Effect.Answer] = []
        for part in effects.joinParts {
            let answer = try answer(to: part)
            answers.append(.join(answer))
            if !answer.isWritten(closing: part.closing) { return answers }
        }
        return nil
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
        /// The ids of all of them, as far as they can be read.
        var ids: [String] = []
        var count = 0
        var node = ""
        /// Of those that were lost too often.
        var buried: [StatusRecord] = []
    }

    /// Gives back what a lost holder held, each loss counted, and ends it. Returns nothing if the holder is gone, or has been
    /// heard of since `beat`.
    mutating func recover(
        _ holder: Int64, silentSince beat: Int64?, because cause: String? = nil, lifetimes: StatusLifetimes
    ) throws -> Recovered {
        var recovered = Recovered()
        guard
            let node = try db.value(
                String.self, "SELECT node FROM holder WHERE number = ?1 AND beat = ifnull(?2, beat)", holder, beat)
        else { return recovered }
        let noted = Set(try db.values(String.self, "SELECT id FROM last_chance WHERE holder = ?", holder))
        let held = try held(by: holder)
        let seal = try StoredSeal.present(db)
        var losses: [AttemptRecord] = []
        for (number, message) in held {
            let recovery = Recovery(
                of: message, from: node, because: cause, maximumLosses: settings.maximumLosses, noted: noted,
                seal: seal, now: now,
                lifetimes: lifetimes)
            if let id = recovery.id { recovered.ids.append(id) }
            if let loss = recovery.loss { losses.append(loss) }
            let step = Priority.step(for: message.priority)
            try write(recovery.effects, taking: Taken(number: number, queue: message.queue, step: step))
            if let status = recovery.buried { recovered.buried.append(status) }
        }
        try note(losses)
        try end(holder)
        recovered.count = held.count
        recovered.node = node
        return recovered
    }

    func noteLastChance(of id: String, by holder: Int64) throws {
        guard try isHolder(holder) else { return }
        try db.run("INSERT OR IGNORE INTO last_chance (holder, id) VALUES (?, ?)", holder, id)
    }
}
