// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension SQLiteBroker: MovableBroker {
    /// The steps of leased messages.
    package func priorities(of deliveries: [Delivery]) async throws -> [Int] {
        try await engine.read { db in
            try deliveries.map { Priority.steps[try StoredMessage.step(db, of: $0.number) ?? 0] }
        }
    }

    /// Keeps dead letters.
    package func keep(_ letters: [DeadLetter]) async throws {
        try await engine.write(durably: true) { transaction in
            for letter in letters { try transaction.bury(letter) }
        }
    }

    /// Statuses in the order in which they were stored.
    package func storedStatuses(from place: String?) async throws -> (statuses: [StatusRecord], next: String?) {
        try await engine.read { db in
            let page = try StoredStatus.page(db, after: place.flatMap { Int64($0) } ?? 0, now: Date())
            return (page.statuses, page.last.map { "\($0)" })
        }
    }

    /// Stores statuses of tasks that have none.
    package func storeMissing(_ statuses: [StatusRecord]) async throws {
        try await engine.write(durably: true) { transaction in
            for status in statuses { try transaction.storeMissing(status) }
        }
    }

    /// Deletes statuses that have not changed.
    package func forget(_ statuses: [StatusRecord]) async throws {
        try await engine.write(durably: true) { transaction in
            for status in statuses { try transaction.forgetUnchanged(status) }
        }
    }

    /// The revocations that are not yet forgotten.
    package func revocations() async throws -> [(id: String, until: Date)] {
        try await engine.read { db in try KnownOrders.revocations(db, now: Date()) }
    }

    /// Puts a schedule in its place, with its progress.
    package func keepWhole(_ record: ScheduleRecord, replacing version: Int) async throws -> Bool {
        let configuration = try record.configuration()
        return try await engine.write(durably: true) { transaction in
            try transaction.keepWhole(record, configuration, replacing: version)
        }
    }
}
