// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension SQLiteBroker: InspectableBroker {
    /// The name of every queue that somebody used in the last 30 days, that a worker watches now, or that holds something.
    public func queueNames() async throws -> [String] {
        let oldest = oldestLetter
        return try await engine.read { db in
            try StoredQueue.names(db, now: Date(), oldestLetter: oldest).sorted()
        }
    }

    /// The same queues with what is in them.
    public func queues() async throws -> [QueueReport] {
        let oldest = oldestLetter
        return try await engine.read { db in try StoredQueue.reports(db, now: Date(), oldestLetter: oldest) }
    }

    /// Deletes what waits, in steps: only what was there when the call began.
    public func purge(_ queue: String, delayed: Bool) async throws -> Int {
        let step = 5_000
        let last = try await engine.write(durably: false) { transaction in try transaction.nextNumber() }
        var count = 0
        for isDelayed in delayed ? [false, true] : [false] {
            var deleted = step
            while deleted == step {
                deleted = try await engine.write(durably: true) { transaction in
                    if isDelayed { return try transaction.purgeDelayed(queue, upTo: last, atMost: step) }
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
            return try StoredHolder.reports(db).filter { report, lock in
                bell?.isFree(lock) != true && Date().timeIntervalSince1970 - report.seenAt < lease.seconds
            }.map(\.report)
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
