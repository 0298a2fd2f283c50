// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension MemoryBroker: JoinStore {
    /// Opens joins.
    public func open(_ joins: [JoinOpening]) async throws {
        change { state, now in for join in joins { state.joins.open(join, now: now) } }
    }

    /// Counts an end.
    public func join(_ part: JoinPart) async throws -> JoinAnswer {
        change { state, now in state.joins.join(part, now: now) }
    }

    /// The ends that were counted.
    public func ends(of group: String) async throws -> [[UInt8]] {
        change { state, now in state.joins.ends(of: group, now: now) }
    }

    /// How many of these stand up to a place.
    public func countEnds(of group: String, upTo index: Int?) async throws -> Int {
        change { state, now in state.joins.countEnds(of: group, upTo: index, now: now) }
    }

    /// What was stored of the members.
    public func members(of group: String) async throws -> [UInt8]? {
        change { state, now in state.joins.members(of: group, now: now) }
    }
}
