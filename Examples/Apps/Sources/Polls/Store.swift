// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Pages

struct Poll: Codable, FetchableRecord, MutablePersistableRecord, Sendable {
    var id: Int64?
    var question: String
    var closesAt: Date
    var closedAt: Date?

    var isOpen: Bool { closedAt == nil && closesAt > Date() }

    mutating func didInsert(_ inserted: InsertionSuccess) { id = inserted.rowID }
}

struct Choice: Codable, FetchableRecord, MutablePersistableRecord, Sendable {
    var id: Int64?
    var pollId: Int64
    var text: String
    var votes = 0
}

/// The app's own database: a SQLite file, shared by web server and worker.
struct Store: Sendable {
    let database: DatabasePool

    init(path: String) throws {
        database = try openDatabase(path)
        var migrator = DatabaseMigrator()
        migrator.registerMigration("polls") { db in
            try db.create(table: "poll") { table in
                table.autoIncrementedPrimaryKey("id")
                table.column("question", .text).notNull()
                table.column("closesAt", .datetime).notNull()
                table.column("closedAt", .datetime)
            }
            try db.create(table: "choice") { table in
                table.autoIncrementedPrimaryKey("id")
                table.belongsTo("poll", onDelete: .cascade).notNull()
                table.column("text", .text).notNull()
                table.column("votes", .integer).notNull()
            }
        }
        try migrator.migrate(database)
    }

    func polls() async throws -> [Poll] {
        try await database.read { try Poll.order(Column("id").desc).limit(50).fetchAll($0) }
    }

    func poll(_ id: Int64) async throws -> (Poll, [Choice])? {
        try await database.read { db in
            guard let poll = try Poll.fetchOne(db, key: id) else { return nil }
            return (poll, try Choice.filter(Column("pollId") == id).order(Column("id")).fetchAll(db))
        }
    }

    /// Adds a poll, and in the same transaction whatever has to be there with it.
    func add(
        _ question: String, _ choices: [String], closesAt: Date,
        with more: @escaping @Sendable (Int64, Database) throws -> Void
    ) async throws -> Int64 {
        try await database.write { db in
            var poll = Poll(question: question, closesAt: closesAt)
            try poll.insert(db)
            let id = db.lastInsertedRowID
            for text in choices {
                var choice = Choice(pollId: id, text: text)
                try choice.insert(db)
            }
            try more(id, db)
            return id
        }
    }

    /// Counts a vote. Returns whether the poll is open still and has that choice.
    func vote(for choice: Int64, in poll: Int64) async throws -> Bool {
        try await database.write { db in
            guard try Poll.fetchOne(db, key: poll)?.isOpen == true else { return false }
            try db.execute(
                sql: "UPDATE choice SET votes = votes + 1 WHERE id = ? AND pollId = ?", arguments: [choice, poll])
            return db.changesCount == 1
        }
    }

    /// Closes a poll. Returns whether this did it: a task may run more than once.
    func close(_ poll: Int64) async throws -> Bool {
        try await database.write { db in
            try db.execute(
                sql: "UPDATE poll SET closedAt = ? WHERE id = ? AND closedAt IS NULL", arguments: [Date(), poll])
            return db.changesCount == 1
        }
    }

    /// Removes polls that were closed before a time, with their choices. Returns how many.
    func forget(closedBefore time: Date) async throws -> Int {
        try await database.write { try Poll.filter(Column("closedAt") < time).deleteAll($0) }
    }
}
