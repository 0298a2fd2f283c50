// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB

extension SQLiteBroker: MovableBroker {
    /// The steps of leased messages.
    package func priorities(of deliveries: [Delivery]) async throws -> [Int] {
        try await engine.read { db in
            try deliveries.map { delivery in
                let step = try db.value(Int.self, "SELECT step FROM message WHERE number = ?", delivery.number)
                return Priority.steps[step ?? 0]
            }
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
            let now = Date().timeIntervalSince1970
            let rows = try db.rows(
                """
                SELECT number, id, json, expires FROM status
                WHERE present = 1 AND number > ? AND (expires IS NULL OR expires > ?) ORDER BY number LIMIT 200
                """, place.flatMap { Int64($0) } ?? 0, now)
            var statuses: [StatusRecord] = []
            var last: Int64?
            while let row = try rows.next() {
                last = row[0]
                let expires: Double? = row[3]
                statuses.append(
                    StatusRecord(
                        of: row[1], stored: try row.bytes(2), timeToLive: expires.map { .seconds($0 - now) }))
            }
            return (statuses, last.map { "\($0)" })
        }
    }

    /// Stores statuses of tasks that have none.
    package func storeMissing(_ statuses: [StatusRecord]) async throws {
        try await engine.write(durably: true) { transaction in
            for status in statuses {
                let present = try StoredStatus.json(transaction.db, of: status.id, now: transaction.now)
                if present == nil { try transaction.store(status) }
            }
        }
    }

    /// Deletes statuses that have not changed.
    package func forget(_ statuses: [StatusRecord]) async throws {
        try await engine.write(durably: true) { transaction in
            for status in statuses {
                try transaction.db.run(
                    "DELETE FROM status WHERE id = ? AND present = 1 AND json = ?", status.id, Data(status.json))
            }
        }
    }

    /// The revocations that are not yet forgotten.
    package func revocations() async throws -> [(id: String, until: Date)] {
        try await engine.read { db in
            let rows = try db.rows("SELECT id, until FROM revoked WHERE until > ?", Date().timeIntervalSince1970)
            var revocations: [(id: String, until: Date)] = []
            while let row = try rows.next() {
                revocations.append((row[0], Date(timeIntervalSince1970: row[1])))
            }
            return revocations
        }
    }

    /// Puts a schedule in its place, with its progress.
    package func keepWhole(_ record: ScheduleRecord, replacing version: Int) async throws -> Bool {
        let configuration = try record.configuration()
        return try await engine.write(durably: true) { transaction in
            try transaction.keepWhole(record, configuration, replacing: version)
        }
    }
}
