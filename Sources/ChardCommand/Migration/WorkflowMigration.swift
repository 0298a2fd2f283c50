// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// Takes what workflows that run rely on from one broker to another: their joins, and their records.
///
/// They are copied before any message is moved, so that a member that ends at the target finds those that have ended before, and
/// whoever is last there sends what follows. Nothing is deleted at the source until no message is left there: a migration that is
/// killed in between begins anew, and adds at the target only what is missing.
struct WorkflowMigration: Sendable {
    let source: any MovableBroker
    let target: any MovableBroker

    /// How many were moved, each counted once.
    struct Counts: Sendable, Hashable {
        var joins = 0
        var records = 0
    }

    /// Copies all of them.
    func copy() async throws -> Counts {
        var counts = Counts()
        var seen: Set<String> = []
        try await forEachJoin { group in
            guard seen.insert(group).inserted, let join = try await source.storedJoin(of: group) else { return }
            try await target.keep(join)
            counts.joins += 1
        }
        var copied: Set<String> = []
        func copy(_ id: String) async throws {
            guard copied.insert(id).inserted, let record = try await source.storedRecord(id) else { return }
            try await target.keep(record)
            counts.records += 1
        }
        // The oldest first: a broker may list them in the order in which they come.
        for record in try await source.listRecords(limit: RecordChange.mostListed).reversed() {
            try await copy(record.id)
        }
        try await forEachRecord(copy)
        return counts
    }

    /// Deletes them at the source.
    func forget() async throws {
        try await forEachJoin { try await source.forgetJoins(of: [$0]) }
        try await forEachRecord { try await source.change([.forgetting($0)]) }
    }

    private func forEachJoin(_ body: (String) async throws -> Void) async throws {
        var place: String?
        repeat {
            let page = try await source.storedJoins(from: place)
            for group in page.groups { try await body(group) }
            place = page.next
        } while place != nil
    }

    private func forEachRecord(_ body: (String) async throws -> Void) async throws {
        var place: String?
        repeat {
            let page = try await source.storedRecords(from: place)
            for id in page.ids { try await body(id) }
            place = page.next
        } while place != nil
    }
}
