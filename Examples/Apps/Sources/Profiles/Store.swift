// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Pages

struct Profile: Codable, FetchableRecord, MutablePersistableRecord, Sendable {
    var id: Int64?
    var name: String
    /// Where the storage service has the photo, once it has.
    var photo: String?
    var photoType: String?
}

/// The app's own database.
struct Store: Sendable {
    private let database: DatabasePool

    init(path: String) throws {
        database = try openDatabase(path)
        var migrator = DatabaseMigrator()
        migrator.registerMigration("profiles") { db in
            try db.create(table: "profile") { table in
                table.autoIncrementedPrimaryKey("id")
                table.column("name", .text).notNull()
                table.column("photo", .text)
                table.column("photoType", .text)
            }
        }
        try migrator.migrate(database)
    }

    func profiles() async throws -> [Profile] {
        try await database.read { try Profile.order(Column("id").desc).limit(30).fetchAll($0) }
    }

    func profile(_ id: Int64) async throws -> Profile? {
        try await database.read { try Profile.fetchOne($0, key: id) }
    }

    func add(_ name: String) async throws -> Int64 {
        try await database.write { db in
            var profile = Profile(name: name)
            try profile.insert(db)
            return db.lastInsertedRowID
        }
    }

    func remove(_ id: Int64) async throws {
        _ = try await database.write { try Profile.deleteOne($0, key: id) }
    }

    func show(_ photo: String, type: String, of id: Int64) async throws {
        try await database.write {
            try $0.execute(
                sql: "UPDATE profile SET photo = ?, photoType = ? WHERE id = ?", arguments: [photo, type, id])
        }
    }
}
