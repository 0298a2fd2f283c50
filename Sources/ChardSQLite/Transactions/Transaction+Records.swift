// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB

extension Transaction {
    /// Changes a value of a record.
    mutating func change(_ change: RecordChange) throws {
        noteRecord()
        if change.kind == .forget { return try retireRecord(change.id) }
        let expires = time + change.timeToLive.seconds
        let number: Int64
        if let present = try StoredRecord.number(db, of: change.id, now: now) {
            number = present
            try db.run("UPDATE record SET expires = ? WHERE number = ? AND expires < ?", expires, number, expires)
        } else {
            if change.kind == .amend { return }
            try retireRecord(change.id)
            try db.run("INSERT INTO record (id, expires) VALUES (?, ?)", change.id, expires)
            number = db.lastInsertedRowID
        }
        if change.kind == .list {
            let isNew =
                try db.run("UPDATE record SET listed = ? WHERE number = ? AND listed IS NULL", time, number) == 1
            if isNew { try trimRecords() }
        }
        guard let value = change.value else {
            try db.run("DELETE FROM record_value WHERE record = ? AND name = ?", number, change.name)
            return
        }
        try db.run(
            "INSERT OR REPLACE INTO record_value (record, name, value) VALUES (?, ?, ?)", number, change.name,
            value)
    }

    /// Takes a value away if it is still this one. Returns whether it was.
    func take(_ name: String, _ value: [UInt8], of record: String) throws -> Bool {
        guard let number = try StoredRecord.number(db, of: record, now: now) else { return false }
        return try db.run(
            "DELETE FROM record_value WHERE record = ? AND name = ? AND value = ?", number, name, value) == 1
    }

    /// Leaves a record to be deleted with its values: they may be so many that it takes a while.
    func retireRecord(_ id: String) throws {
        try db.run("UPDATE record SET id = NULL, listed = NULL, expires = ? WHERE id = ?", time, id)
    }

    /// Lists no more than so many.
    private func trimRecords() throws {
        try db.run(
            """
            UPDATE record SET listed = NULL WHERE number IN (
                SELECT number FROM record WHERE listed NOTNULL ORDER BY number DESC LIMIT 100 OFFSET ?)
            """, RecordChange.mostListed)
    }

    /// Deletes values of records that have expired, and records of which no value is left. Returns how many of both.
    @discardableResult
    func forgetRecords(atMost limit: Int) throws -> Int {
        let values = try db.run(
            """
            DELETE FROM record_value WHERE (record, name) IN (
                SELECT record_value.record, record_value.name
                FROM record CROSS JOIN record_value ON record_value.record = record.number
                WHERE expires <= ? ORDER BY expires LIMIT ?)
            """, time, limit)
        let records = try db.run(
            """
            DELETE FROM record WHERE number IN (SELECT number FROM record WHERE expires <= ? ORDER BY expires LIMIT ?)
                AND NOT EXISTS (SELECT 1 FROM record_value WHERE record = record.number)
            """, time, limit)
        return values + records
    }
}

/// Reading records.
enum StoredRecord {
    static func number(_ db: Database, of id: String, now: Date) throws -> Int64? {
        try db.value(
            Int64.self, "SELECT number FROM record WHERE id = ? AND expires > ?", id, now.timeIntervalSince1970)
    }

    static func values(_ db: Database, of id: String, now: Date) throws -> [String: [UInt8]]? {
        guard let number = try number(db, of: id, now: now) else { return nil }
        let rows = try db.rows("SELECT name, value FROM record_value WHERE record = ?", number)
        var values: [String: [UInt8]] = [:]
        while let row = try rows.next() { values[row[0]] = try row.bytes(1) }
        return values.isEmpty ? nil : values
    }

    static func value(_ db: Database, _ name: String, of id: String, now: Date) throws -> [UInt8]? {
        try db.value(
            [UInt8].self,
            """
            SELECT value FROM record_value
            WHERE record = (SELECT number FROM record WHERE id = ? AND expires > ?) AND name = ?
            """, id, now.timeIntervalSince1970, name)
    }

    static func list(_ db: Database, limit: Int, now: Date) throws -> [ListedRecord] {
        let rows = try db.rows(
            "SELECT id, listed FROM record WHERE listed NOTNULL AND expires > ? ORDER BY number DESC LIMIT ?",
            now.timeIntervalSince1970, min(limit, RecordChange.mostListed))
        var records: [ListedRecord] = []
        while let row = try rows.next() {
            records.append(ListedRecord(id: row[0], since: Date(timeIntervalSince1970: row[1])))
        }
        return records
    }
}
