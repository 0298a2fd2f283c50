// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension RedisBroker: RecordStore {
    /// Changes records.
    public func change(_ records: [RecordChange]) async throws {
        guard !records.isEmpty else { return }
        _ = try await server.ask(writing(Effects(records.map(Effect.record)), now: 0))
    }

    /// All values of a record.
    public func record(_ id: String) async throws -> [String: [UInt8]]? {
        let fields = try await server.ask([RedisCommand("HGETALL", keys.record(id))])[0].array ?? []
        guard !fields.isEmpty else { return nil }
        var values: [String: [UInt8]] = [:]
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            if let name = fields[index].text { values[name] = fields[index + 1].bytes }
        }
        return values
    }

    /// One value of a record.
    public func value(_ name: String, of record: String) async throws -> [UInt8]? {
        try await server.ask([RedisCommand("HGET", keys.record(record), name)])[0].bytes
    }

    /// Takes a value away and writes effects, in one step.
    public func take(
        _ name: String, _ value: [UInt8], of record: String, writing effects: Effects
    ) async throws -> Bool {
        var call = ScriptCall(.takeValue)
        call.append(key: keys.record(record))
        call.append(name)
        call.append(value)
        call.append(effects, keys, settings, now: Date().timeIntervalSince1970)
        return try await server.ask([call.command])[0].integer != 0
    }

    /// The records that are listed, the newest first.
    public func listRecords(limit: Int) async throws -> [ListedRecord] {
        guard limit > 0 else { return [] }
        let last = min(limit, RecordChange.mostListed) - 1
        let fields =
            try await server.ask([RedisCommand("ZRANGE", keys.records, 0, last, "REV", "WITHSCORES")])[0].array ?? []
        return stride(from: 0, to: fields.count - 1, by: 2).compactMap { index in
            guard let id = fields[index].text, let since = fields[index + 1].text.flatMap(Double.init) else {
                return nil
            }
            return ListedRecord(id: id, since: Date(timeIntervalSince1970: since))
        }
    }
}
