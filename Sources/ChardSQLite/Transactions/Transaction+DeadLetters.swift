// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB

extension Transaction {
    /// Keeps a dead letter under its name or, where that is taken, under the name with a number behind it.
    /// Returns that name.
    @discardableResult
    mutating func bury(_ letter: DeadLetter) throws -> String {
        var letter = letter
        let name = letter.id.isEmpty ? TaskID.random() : letter.id
        letter.id = name
        var count = 1
        while try db.exists("SELECT 1 FROM dead WHERE id = ?", letter.id) {
            count += 1
            letter.id = "\(name)#\(count)"
        }
        var story = letter
        story.payload = []
        try db.run(
            "INSERT INTO dead (number, id, queue, died, story, payload) VALUES (?, ?, ?, ?, ?, ?)", nextNumber(),
            letter.id, letter.queue, letter.diedAt.timeIntervalSince1970, JSON.encode(story),
            letter.payload)
        try note([letter.queue])
        noteBuried(in: letter.queue)
        return letter.id
    }

    /// Keeps the newest letters of a queue, as many as are allowed.
    func trimLetters(of queue: String) throws {
        let count = try db.value(Int.self, "SELECT count(*) FROM dead WHERE queue = ?", queue) ?? 0
        guard count > settings.deadLetterLimit else { return }
        try db.run(
            """
            DELETE FROM dead WHERE number IN (SELECT number FROM dead WHERE queue = ? ORDER BY died, number LIMIT ?)
            """, queue, count - settings.deadLetterLimit)
    }

    func dropLetter(_ id: String) throws -> Bool {
        try db.run("DELETE FROM dead WHERE id = ?", id) == 1
    }

    mutating func requeueLetter(_ id: String) throws -> Bool {
        guard let letter = try StoredLetter.one(db, id, since: .distantPast), try dropLetter(id) else { return false }
        try write([.push(letter.again)])
        return true
    }
}

/// Reading dead letters.
enum StoredLetter {
    static func one(_ db: Database, _ id: String, since oldest: Date) throws -> DeadLetter? {
        let rows = try db.rows(
            "SELECT story, payload FROM dead WHERE id = ? AND died >= ?", id, oldest.timeIntervalSince1970)
        return try rows.next().map(read)
    }

    /// The newest letters of a queue, or of all.
    static func newest(_ db: Database, of queue: String?, since oldest: Date, limit: Int) throws -> [DeadLetter] {
        let rows = try newest(db, "payload", queue, oldest, limit)
        var letters: [DeadLetter] = []
        while let row = try rows.next() { letters.append(try read(row)) }
        return letters
    }

    /// The same, with the sizes of the messages in their place.
    static func summaries(
        _ db: Database, of queue: String?, since oldest: Date, limit: Int
    ) throws -> [DeadLetterSummary] {
        let rows = try newest(db, "length(payload)", queue, oldest, limit)
        var summaries: [DeadLetterSummary] = []
        while let row = try rows.next() { summaries.append(DeadLetterSummary(try story(row), size: row[1])) }
        return summaries
    }

    private static func newest(
        _ db: Database, _ column: String, _ queue: String?, _ oldest: Date, _ limit: Int
    ) throws -> RowCursor {
        try db.rows(
            """
            SELECT story, \(column) FROM dead WHERE queue = ifnull(?, queue) AND died >= ?
            ORDER BY died DESC, number DESC LIMIT ?
            """, queue, oldest.timeIntervalSince1970, limit)
    }

    private static func read(_ row: Row) throws -> DeadLetter {
        var letter = try story(row)
        letter.payload = try row.bytes(1)
        return letter
    }

    private static func story(_ row: Row) throws -> DeadLetter {
        // Errors may repeat much of a message.
        try JSON.decode(DeadLetter.self, from: row.bytes(0), limits: JSONLimits(bytes: .max))
    }
}
