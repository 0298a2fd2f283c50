// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB

extension Transaction {
    /// How long a status that was replaced is kept for those who wait to be told of it, in seconds.
    private static let memory = 10.0

    /// Stores a status, but nothing over a SUCCESS except another one.
    mutating func store(_ status: StatusRecord) throws {
        let isSuccess = status.state == .success
        if !isSuccess {
            let hasSucceeded = try db.exists(
                """
                SELECT 1 FROM status WHERE id = ? AND present = 1 AND success = 1 AND (expires IS NULL OR expires > ?)
                """, status.id, time)
            if hasSucceeded { return }
        }
        let expires = status.timeToLive.map { now.addingTimeInterval($0.seconds).timeIntervalSince1970 }
        try db.run(
            "UPDATE status SET present = 0, expires = ? WHERE id = ? AND present = 1", time + Self.memory, status.id)
        try db.run(
            "INSERT INTO status (number, id, present, success, json, expires) VALUES (?, ?, 1, ?, ?, ?)", nextNumber(),
            status.id, isSuccess, status.json, expires)
        tellStatus()
    }

    /// Stores the status of a task that has none.
    mutating func storeMissing(_ status: StatusRecord) throws {
        if try StoredStatus.json(db, of: status.id, now: now) == nil { try store(status) }
    }

    /// Deletes a status that is still this one.
    func forgetUnchanged(_ status: StatusRecord) throws {
        try db.run(
            "DELETE FROM status WHERE id = ? AND present = 1 AND json = ?", status.id, status.json)
    }

    /// Deletes a status. Returns whether there was one.
    func forgetStatus(of id: String) throws -> Bool {
        let lives = try db.exists(
            "SELECT 1 FROM status WHERE id = ? AND present = 1 AND (expires IS NULL OR expires > ?)", id, time)
        try db.run("DELETE FROM status WHERE id = ? AND present = 1", id)
        return lives
    }
}

/// Reading statuses, which needs no transaction of its own.
enum StoredStatus {
    static func json(_ db: Database, of id: String, now: Date) throws -> [UInt8]? {
        try db.value(
            [UInt8].self, "SELECT json FROM status WHERE id = ? AND present = 1 AND (expires IS NULL OR expires > ?)",
            id,
            now.timeIntervalSince1970
        )
    }

    /// The next statuses after the one numbered `last`, in the order in which they were stored, and the number to go on from;
    /// `nil` where there is no more.
    static func page(
        _ db: Database, after last: Int64, now: Date
    ) throws -> (statuses: [StatusRecord], last: Int64?) {
        let time = now.timeIntervalSince1970
        let rows = try db.rows(
            """
            SELECT number, id, json, expires FROM status
            WHERE present = 1 AND number > ? AND (expires IS NULL OR expires > ?) ORDER BY number LIMIT 200
            """, last, time)
        var statuses: [StatusRecord] = []
        var last: Int64?
        while let row = try rows.next() {
            last = row[0]
            let expires: Double? = row[3]
            statuses.append(
                StatusRecord(of: row[1], stored: try row.bytes(2), timeToLive: expires.map { .seconds($0 - time) }))
        }
        return (statuses, last)
    }

    /// The number of the newest status.
    static func last(_ db: Database) throws -> Int64 {
        try db.value(Int64.self, "SELECT max(number) FROM status") ?? 0
    }

    /// What was stored for any of `ids` after the one numbered `last`, oldest first; and the number of the newest.
    static func news(
        _ db: Database, since last: Int64, of ids: (String) -> Bool
    ) throws -> (last: Int64, [(id: String, json: [UInt8])]) {
        var news: [(String, [UInt8])] = []
        var newest = last
        let rows = try db.rows("SELECT number, id, json FROM status WHERE number > ? ORDER BY number", last)
        while let row = try rows.next() {
            newest = row[0]
            let id: String = row[1]
            if ids(id) { news.append((id, try row.bytes(2))) }
        }
        return (newest, news)
    }
}
