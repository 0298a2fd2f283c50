// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB

extension SQLiteBroker: InspectableBroker {
    /// Every queue that somebody used in the last 30 days, that a worker watches now, or that holds something.
    public func queues() async throws -> [QueueReport] {
        let oldest = oldestLetter
        return try await engine.read { db in try QueueReport.all(db, now: Date(), oldestLetter: oldest) }
    }

    /// Deletes what waits, in steps: only what was there when the call began.
    public func purge(_ queue: String, scheduled: Bool) async throws -> Int {
        let step = 5_000
        let last = try await engine.write(durably: false) { transaction in try transaction.nextNumber() }
        var count = 0
        for isScheduled in scheduled ? [false, true] : [false] {
            var deleted = step
            while deleted == step {
                deleted = try await engine.write(durably: true) { transaction in
                    if isScheduled { return try transaction.purgeScheduled(queue, upTo: last, atMost: step) }
                    return try transaction.purge(queue, upTo: last, atMost: step)
                }
                count += deleted
            }
        }
        return count
    }

    /// The consumers that live.
    public func workers() async throws -> [WorkerReport] {
        let bell = engine.location.bell
        let lease = settings.lease
        return try await engine.read { db in
            let bell = Bell(bell)
            let rows = try db.rows(
                """
                SELECT identity, node, pid, queues, concurrency, started, seen, vitals, file, place FROM holder
                ORDER BY node, identity
                """)
            var reports: [WorkerReport] = []
            while let row = try rows.next() {
                let isCut = row[8] == bell?.file && bell?.isFree(row[9]) == true
                let report = WorkerReport(
                    node: row[1], identity: row[0], pid: row[2],
                    queues: try JSON.decode([String].self, from: row.bytes(3)), concurrency: row[4],
                    startedAt: row[5], seenAt: row[6], vitals: try JSON.decode(Vitals.self, from: row.bytes(7)))
                if !isCut, Date().timeIntervalSince1970 - report.seenAt < lease.seconds { reports.append(report) }
            }
            return reports
        }
    }

    private var oldestLetter: Date { Date().addingTimeInterval(-settings.deadLetterTimeToLive.seconds) }

    /// Dead letters, newest first.
    public func deadLetters(in queue: String?, limit: Int) async throws -> [DeadLetter] {
        let oldest = oldestLetter
        return try await engine.read { db in try StoredLetter.newest(db, of: queue, since: oldest, limit: limit) }
    }

    /// The same without the messages, of which only the sizes are read.
    public func deadLetterSummaries(in queue: String?, limit: Int) async throws -> [DeadLetterSummary] {
        let oldest = oldestLetter
        return try await engine.read { db in try StoredLetter.summaries(db, of: queue, since: oldest, limit: limit) }
    }

    /// One dead letter.
    public func deadLetter(_ id: String) async throws -> DeadLetter? {
        let oldest = oldestLetter
        return try await engine.read { db in try StoredLetter.one(db, id, since: oldest) }
    }

    /// Sends a dead letter's message again.
    public func requeueDeadLetter(_ id: String) async throws -> Bool {
        try await engine.write(durably: true) { transaction in try transaction.requeueLetter(id) }
    }

    /// Deletes a dead letter.
    public func dropDeadLetter(_ id: String) async throws -> Bool {
        try await engine.write(durably: true) { transaction in try transaction.dropLetter(id) }
    }
}

extension QueueReport {
    fileprivate static func all(_ db: Database, now: Date, oldestLetter: Date) throws -> [QueueReport] {
        var reports: [String: QueueReport] = [:]
        func set(_ queue: String, _ change: (inout QueueReport) -> Void) {
            change(&reports[queue, default: QueueReport(queue: queue, waiting: 0, scheduled: 0, leased: 0, dead: 0)])
        }
        func count(_ sql: String, _ arguments: Double?..., change: (inout QueueReport, Int) -> Void) throws {
            let rows = try Row.fetchCursor(db, sql: sql, arguments: StatementArguments(arguments))
            while let row = try rows.next() { set(row[0]) { change(&$0, row[1]) } }
        }
        let month = now.timeIntervalSince1970 - 30 * 86_400
        try count("SELECT name, paused FROM queue WHERE used > ? OR paused", month) { $0.isPaused = $1 == 1 }
        for queues in try db.values(Data.self, "SELECT queues FROM holder") {
            for queue in try JSON.decode([String].self, from: [UInt8](queues)) { set(queue) { _ in } }
        }
        try count("SELECT queue, count(*) FROM waiting GROUP BY queue") { $0.waiting = $1 }
        try count(
            """
            SELECT queue, count(*) FROM scheduled JOIN message ON message.number = scheduled.message GROUP BY queue
            """
        ) { $0.scheduled = $1 }
        try count(
            "SELECT queue, count(*) FROM leased JOIN message ON message.number = leased.message GROUP BY queue"
        ) { $0.leased = $1 }
        try count(
            "SELECT queue, count(*) FROM dead WHERE died >= ? GROUP BY queue", oldestLetter.timeIntervalSince1970
        ) { $0.dead = $1 }
        for queue in reports.keys {
            let ages = try Priority.steps.indices.compactMap { step in
                try db.value(
                    Data.self,
                    """
                    SELECT payload FROM waiting JOIN message ON message.number = waiting.message
                    WHERE waiting.queue = ? AND waiting.step = ? ORDER BY position LIMIT 1
                    """, queue, step
                ).flatMap { MessageAge.seconds(of: [UInt8]($0), now: now) }
            }
            reports[queue]?.oldestWait = ages.max()
        }
        return reports.values.sorted { $0.queue < $1.queue }
    }
}
