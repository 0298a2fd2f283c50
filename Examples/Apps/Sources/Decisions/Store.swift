// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Pages

/// The app's own database.
protocol Store: Sendable {
    /// Keeps a decision. A task that runs twice saves twice: the row is the same.
    func save(_ decision: Decision) async throws
    /// The same for bodies that block.
    func saveBlocking(_ decision: Decision) throws
    func decision(_ id: String) async throws -> Decision?
}

/// Opens a file or, where this is a `postgresql://` URL, a server.
func openStore(_ place: String) throws -> any Store {
    guard place.hasPrefix("postgres") else { return try SQLiteStore(path: place) }
    #if POSTGRES
    return try PostgresStore(place)
    #else
    throw StoreError(description: "built without PostgreSQL: install libpq-dev, and build with DECISIONS_POSTGRES=1")
    #endif
}

/// What the database has to say against it.
struct StoreError: Error, CustomStringConvertible {
    let description: String
    /// Whether it may well be there again in a moment.
    var isAway = false
}

extension Decision: FetchableRecord, PersistableRecord {}

/// Decisions in a SQLite file.
struct SQLiteStore: Store {
    private let database: DatabasePool

    init(path: String) throws {
        database = try openDatabase(path)
        var migrator = DatabaseMigrator()
        migrator.registerMigration("decisions") { db in
            try db.create(table: "decision") { table in
                table.primaryKey("id", .text)
                table.column("approved", .boolean).notNull()
                table.column("score", .double).notNull()
                table.column("by", .text).notNull()
            }
        }
        try migrator.migrate(database)
    }

    func save(_ decision: Decision) async throws { try await database.write { try decision.save($0) } }

    func saveBlocking(_ decision: Decision) throws { try database.write { try decision.save($0) } }

    func decision(_ id: String) async throws -> Decision? {
        try await database.read { try Decision.fetchOne($0, key: id) }
    }
}
