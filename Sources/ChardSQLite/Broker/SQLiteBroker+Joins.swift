// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension SQLiteBroker: JoinStore {
    /// Opens joins.
    public func open(_ joins: [JoinOpening]) async throws {
        guard !joins.isEmpty else { return }
        try await engine.write(durably: true) { transaction in
            for join in joins { try transaction.open(join) }
        }
    }

    /// Counts an end.
    public func join(_ part: JoinPart) async throws -> JoinAnswer {
        try await engine.write(durably: true) { transaction in try transaction.join(part) }
    }

    /// The ends that were counted.
    public func ends(of group: String) async throws -> [[UInt8]] {
        try await engine.read { db in try StoredJoin.ends(db, of: group, now: Date()) }
    }

    /// How many of these stand up to a place.
    public func countEnds(of group: String, upTo index: Int?) async throws -> Int {
        try await engine.read { db in try StoredJoin.countEnds(db, of: group, upTo: index, now: Date()) }
    }

    /// What was stored of the members.
    public func members(of group: String) async throws -> [UInt8]? {
        try await engine.read { db in try StoredJoin.members(db, of: group, now: Date()) }
    }
}
