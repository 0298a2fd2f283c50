// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Pages

/// A row of the table.
struct Row: Codable, FetchableRecord, MutablePersistableRecord, Sendable {
    static let databaseTableName = "answer"

    var id: Int64?
    var question: String
    /// The task's id, where a worker has it.
    var job: String?
    var askedAt = Date()
    var answer: String?
    var answeredAt: Date?
}

/// The app's own database.
struct Store: Sendable {
    private let database: DatabasePool

    init(path: String) throws {
        database = try openDatabase(path)
        var migrator = DatabaseMigrator()
        migrator.registerMigration("answers") { db in
            try db.create(table: "answer") { table in
                table.autoIncrementedPrimaryKey("id")
                table.column("question", .text).notNull()
                table.column("job", .text)
                table.column("askedAt", .datetime).notNull()
                table.column("answer", .text)
                table.column("answeredAt", .datetime)
            }
        }
        try migrator.migrate(database)
    }

    func rows() async throws -> [Row] {
        try await database.read { try Row.order(Column("id").desc).limit(20).fetchAll($0) }
    }

    func add(_ question: String) async throws -> Int64 {
        try await database.write { db in
            var row = Row(question: question)
            try row.insert(db)
            return db.lastInsertedRowID
        }
    }

    func remove(_ row: Int64) async throws {
        _ = try await database.write { try Row.deleteOne($0, key: row) }
    }

    func note(job: String, of row: Int64) async throws {
        try await database.write {
            try $0.execute(sql: "UPDATE answer SET job = ? WHERE id = ?", arguments: [job, row])
        }
    }

    func finish(_ row: Int64, _ answer: String) async throws {
        try await database.write {
            try $0.execute(
                sql: "UPDATE answer SET answer = ?, answeredAt = ? WHERE id = ? AND answer IS NULL",
                arguments: [answer, Date(), row])
        }
    }
}
