// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension MemoryBroker: RecordStore {
    /// Changes records.
    public func change(_ records: [RecordChange]) async throws {
        change { state, now in for record in records { state.records.change(record, now: now) } }
    }

    /// All values of a record.
    public func record(_ id: String) async throws -> [String: [UInt8]]? {
        change { state, now in state.records.values(of: id, now: now) }
    }

    /// One value of a record.
    public func value(_ name: String, of record: String) async throws -> [UInt8]? {
        change { state, now in state.records.values(of: record, now: now)?[name] }
    }

    /// Takes a value away and writes effects, in one step.
    public func take(
        _ name: String, _ value: [UInt8], of record: String, writing effects: Effects
    ) async throws -> Bool {
        change { state, now in
            guard state.records.take(name, value, of: record, now: now) else { return false }
            state.write(effects, now: now)
            return true
        }
    }

    /// The records that are listed, the newest first.
    public func listRecords(limit: Int) async throws -> [ListedRecord] {
        change { state, now in state.records.list(limit: limit, now: now) }
    }
}
