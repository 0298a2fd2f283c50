// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// The records of a broker, as a value: each change is told the time.
struct RecordBook {
    private struct Record {
        var values: [String: [UInt8]] = [:]
        var expiresAt: Date
        /// When it was made to be listed, and as which.
        var listed: (at: Date, number: Int)?
    }

    private var records: [String: Record] = [:]
    private var number = 0
    private var toSweepAt = 1024

    /// How many are kept, those included whose time is over unnoticed.
    var count: Int { records.count }

    mutating func change(_ change: RecordChange, now: Date) {
        if change.kind == .forget {
            records[change.id] = nil
            return
        }
        let present = present(change.id, now: now)
        if present == nil, change.kind == .amend { return }
        sweep(now: now)
        let expiry = now.addingTimeInterval(change.timeToLive.seconds)
        var record = present ?? Record(expiresAt: expiry)
        record.values[change.name] = change.value
        record.expiresAt = max(record.expiresAt, expiry)
        if change.kind == .list, record.listed == nil {
            number += 1
            record.listed = (now, number)
        }
        records[change.id] = record.values.isEmpty ? nil : record
    }

    func values(of id: String, now: Date) -> [String: [UInt8]]? { present(id, now: now)?.values }

    /// Takes a value away if it is still this one. Returns whether it was.
    mutating func take(_ name: String, _ value: [UInt8], of id: String, now: Date) -> Bool {
        guard present(id, now: now)?.values[name] == value else { return false }
        records[id]?.values[name] = nil
        return true
    }

    func list(limit: Int, now: Date) -> [ListedRecord] {
        let listed = records.compactMap { id, record in
            record.expiresAt > now ? record.listed.map { (id: id, at: $0.at, number: $0.number) } : nil
        }
        return listed.sorted { $0.number > $1.number }.prefix(max(0, min(limit, RecordChange.mostListed)))
            .map { ListedRecord(id: $0.id, since: $0.at) }
    }

    private func present(_ id: String, now: Date) -> Record? { records[id].flatMap { $0.expiresAt > now ? $0 : nil } }

    /// Forgets records whose time is over: whenever there are twice as many as the last time left.
    private mutating func sweep(now: Date) {
        guard records.count >= toSweepAt else { return }
        records = records.filter { $0.value.expiresAt > now }
        toSweepAt = max(1024, records.count * 2)
    }
}
