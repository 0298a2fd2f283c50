// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// The statuses of a broker, as a value: each change is told the time.
struct StatusBook {
    private struct Stored {
        var state: TaskState
        var json: [UInt8]
        var expiresAt: Date?
    }

    private var statuses: [String: Stored] = [:]
    private var toSweepAt = 1024

    /// How many are kept, those included whose time is over unnoticed.
    var count: Int { statuses.count }

    /// Stores a status, but nothing over a success except another one. Returns whether it was stored.
    mutating func store(_ record: StatusRecord, now: Date) -> Bool {
        if record.state != .success, let stored = statuses[record.id], stored.state == .success,
            !isOver(stored, now: now)
        {
            return false
        }
        sweep(now: now)
        statuses[record.id] = Stored(
            state: record.state, json: record.json,
            expiresAt: record.timeToLive.map { now.addingTimeInterval($0.seconds) })
        return true
    }

    /// Forgets statuses whose time is over: whenever there are twice as many as the last time left.
    private mutating func sweep(now: Date) {
        guard statuses.count >= toSweepAt else { return }
        statuses = statuses.filter { !isOver($0.value, now: now) }
        toSweepAt = max(1024, statuses.count * 2)
    }

    mutating func status(of id: String, now: Date) -> [UInt8]? {
        guard let stored = statuses[id] else { return nil }
        guard !isOver(stored, now: now) else {
            statuses[id] = nil
            return nil
        }
        return stored.json
    }

    private func isOver(_ stored: Stored, now: Date) -> Bool {
        stored.expiresAt.map { $0 <= now } ?? false
    }

    /// Returns whether there was one.
    mutating func forget(_ id: String, now: Date) -> Bool {
        defer { statuses[id] = nil }
        return status(of: id, now: now) != nil
    }
}
