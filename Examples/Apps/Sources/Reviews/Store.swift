// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Pages

struct Review: Codable, FetchableRecord, MutablePersistableRecord, Sendable {
    var id: Int64?
    var name: String
    var stars: Int
    var text: String
    var at = Date()
}

/// The app's own database.
struct Store: Sendable {
    private let database: DatabasePool

    /// Opens the database. Where the table is missing, it begins with what the newest backup has.
    init(path: String, restoring newest: () async throws -> [UInt8]?) async throws {
        database = try openDatabase(path)
        guard try await !database.read({ try $0.tableExists("review") }) else { return }
        let reviews = try await newest().map(Self.reviews) ?? []
        try await database.write { db in
            // Another process may have been faster.
            guard try !db.tableExists("review") else { return }
            try db.create(table: "review") { table in
                table.autoIncrementedPrimaryKey("id")
                table.column("name", .text).notNull()
                table.column("stars", .integer).notNull()
                table.column("text", .text).notNull()
                table.column("at", .datetime).notNull()
            }
            for var review in reviews { try review.insert(db) }
        }
    }

    private static func reviews(in backup: [UInt8]) throws -> [Review] {
        let path = FileManager.default.temporaryDirectory.appending(path: "reviews-\(UUID()).db").path
        try Data(backup).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try DatabaseQueue(path: path).read { try Review.order(Column("id")).fetchAll($0) }
    }

    func latest() async throws -> (reviews: [Review], count: Int) {
        try await database.read { db in
            (try Review.order(Column("id").desc).limit(10).fetchAll(db), try Review.fetchCount(db))
        }
    }

    func add(_ name: String, _ stars: Int, _ text: String) async throws {
        try await database.write { db in
            var review = Review(name: name, stars: stars, text: text)
            try review.insert(db)
        }
    }

    /// Copies the database as it is at one moment, while others write. Returns the reviews in the copy.
    func copy(to path: String) async throws -> [Review] {
        try? FileManager.default.removeItem(atPath: path)
        let copy = try DatabaseQueue(path: path)
        try database.backup(to: copy)
        let reviews = try await copy.read { try Review.order(Column("id")).fetchAll($0) }
        try copy.close()
        return reviews
    }
}
