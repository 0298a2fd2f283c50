// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// Joins and records on their way to or from another broker.
extension SQLiteBroker {
    /// Joins in the order in which they were opened.
    package func storedJoins(from place: String?) async throws -> (groups: [String], next: String?) {
        try await engine.read { db in
            let page = try StoredJoin.page(db, after: place.flatMap { Int64($0) } ?? 0, now: Date())
            return (page.groups, page.last.map { "\($0)" })
        }
    }

    /// A join with all of its ends.
    package func storedJoin(of group: String) async throws -> MovedJoin? {
        try await engine.read { db in try StoredJoin.moved(db, group, now: Date()) }
    }

    /// Keeps a join.
    package func keep(_ join: MovedJoin) async throws {
        try await engine.write(durably: true) { transaction in try transaction.keep(join) }
    }

    /// Lets joins go.
    package func forgetJoins(of groups: [String]) async throws {
        try await engine.write(durably: true) { transaction in
            for group in groups { try transaction.retireJoin(group) }
        }
    }

    /// Records in the order in which they were made.
    package func storedRecords(from place: String?) async throws -> (ids: [String], next: String?) {
        try await engine.read { db in
            let page = try StoredRecord.page(db, after: place.flatMap { Int64($0) } ?? 0, now: Date())
            return (page.ids, page.last.map { "\($0)" })
        }
    }

    /// A record with all of its values.
    package func storedRecord(_ id: String) async throws -> MovedRecord? {
        try await engine.read { db in try StoredRecord.moved(db, id, now: Date()) }
    }

    /// Keeps a record.
    package func keep(_ record: MovedRecord) async throws {
        try await engine.write(durably: true) { transaction in try transaction.keep(record) }
    }
}
