// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension SQLiteBroker: RecordStore {
    /// Changes records.
    public func change(_ records: [RecordChange]) async throws {
        guard !records.isEmpty else { return }
        try await engine.write(durably: true) { transaction in
            for record in records { try transaction.change(record) }
        }
    }

    /// All values of a record.
    public func record(_ id: String) async throws -> [String: [UInt8]]? {
        try await engine.read { db in try StoredRecord.values(db, of: id, now: Date()) }
    }

    /// One value of a record.
    public func value(_ name: String, of record: String) async throws -> [UInt8]? {
        try await engine.read { db in try StoredRecord.value(db, name, of: record, now: Date()) }
    }

    /// Takes a value away and writes effects, in one step.
    public func take(
        _ name: String, _ value: [UInt8], of record: String, writing effects: Effects
    ) async throws -> Bool {
        try await engine.write(durably: true) { transaction in
            guard try transaction.take(name, value, of: record) else { return false }
            try transaction.write(effects)
            return true
        }
    }

    /// The records that are listed, the newest first.
    public func listRecords(limit: Int) async throws -> [ListedRecord] {
        guard limit > 0 else { return [] }
        return try await engine.read { db in try StoredRecord.list(db, limit: limit, now: Date()) }
    }
}
