// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB

extension Transaction {
    /// Adds to a join what is missing, unless it is over.
    mutating func keep(_ join: MovedJoin) throws {
        let present = try StoredJoin.of(join.group, db, now: now)
        guard !present.isClosed else { return }
        noteJoined()
        let number = try present.number ?? begin(join.group)
        for part in join.ends {
            try db.run(
                "INSERT OR IGNORE INTO join_end (joined, member, place, success, json) VALUES (?, ?, ?, ?, ?)", number,
                part.member, part.index, part.isSuccess, part.end)
        }
        try db.run(
            """
            UPDATE joined SET size = ifnull(size, ?), members = ifnull(members, ?), closed = ?, expires = ?,
                count = (SELECT COUNT(*) FROM join_end WHERE joined = ?)
            WHERE number = ?
            """, join.size, join.members, join.isClosed, join.timeToLive.map { time + $0.seconds }, number, number)
    }

    /// Adds to a record what is missing.
    mutating func keep(_ record: MovedRecord) throws {
        noteRecord()
        let expires = time + record.timeToLive.seconds
        let number: Int64
        if let present = try StoredRecord.number(db, of: record.id, now: now) {
            number = present
            try db.run("UPDATE record SET expires = max(expires, ?) WHERE number = ?", expires, number)
        } else {
            try retireRecord(record.id)
            try db.run("INSERT INTO record (id, expires) VALUES (?, ?)", record.id, expires)
            number = db.lastInsertedRowID
        }
        if let since = record.since {
            try db.run(
                "UPDATE record SET listed = ifnull(listed, ?) WHERE number = ?", since.timeIntervalSince1970, number)
        }
        for (name, value) in record.values {
            try db.run(
                "INSERT OR IGNORE INTO record_value (record, name, value) VALUES (?, ?, ?)", number, name, value)
        }
    }
}

extension StoredJoin {
    /// How many joins or records are read at once.
    fileprivate static let mostOfPage = 200

    /// The groups of some joins behind the one of this number, and the number of the last of them; `nil` at the end.
    static func page(_ db: Database, after number: Int64, now: Date) throws -> (groups: [String], last: Int64?) {
        let rows = try db.rows(
            """
            SELECT number, id FROM joined
            WHERE id NOTNULL AND number > ? AND (expires IS NULL OR expires > ?) ORDER BY number LIMIT ?
            """, number, now.timeIntervalSince1970, mostOfPage)
        var (groups, last): ([String], Int64?) = ([], nil)
        while let row = try rows.next() {
            last = row[0]
            groups.append(row[1])
        }
        return (groups, last)
    }

    static func moved(_ db: Database, _ group: String, now: Date) throws -> MovedJoin? {
        let time = now.timeIntervalSince1970
        let joins = try db.rows(
            """
            SELECT number, size, closed, expires FROM joined
            WHERE id = ? AND (expires IS NULL OR expires > ?)
            """, group, time)
        guard let row = try joins.next() else { return nil }
        let (number, size, isClosed, expires): (Int64, Int?, Bool, Double?) = (row[0], row[1], row[2], row[3])
        let timeToLive = expires.map { Duration.seconds($0 - time) }
        let rows = try db.rows(
            """
            SELECT member, place, success, json FROM join_end WHERE joined = ? ORDER BY place IS NULL, place, number
            """, number)
        var ends: [JoinPart] = []
        while let row = try rows.next() {
            ends.append(
                JoinPart(
                    group: group, member: row[0], index: row[1], isSuccess: row[2], end: try row.bytes(3),
                    timeToLive: timeToLive))
        }
        return MovedJoin(
            group: group, size: size, isClosed: isClosed, members: try members(db, of: group, now: now), ends: ends,
            timeToLive: timeToLive)
    }
}

extension StoredRecord {
    /// The ids of some records behind the one of this number, and the number of the last of them; `nil` at the end.
    static func page(_ db: Database, after number: Int64, now: Date) throws -> (ids: [String], last: Int64?) {
        let rows = try db.rows(
            "SELECT number, id FROM record WHERE id NOTNULL AND number > ? AND expires > ? ORDER BY number LIMIT ?",
            number, now.timeIntervalSince1970, StoredJoin.mostOfPage)
        var (ids, last): ([String], Int64?) = ([], nil)
        while let row = try rows.next() {
            last = row[0]
            ids.append(row[1])
        }
        return (ids, last)
    }

    static func moved(_ db: Database, _ id: String, now: Date) throws -> MovedRecord? {
        guard let values = try values(db, of: id, now: now) else { return nil }
        let time = now.timeIntervalSince1970
        let rows = try db.rows("SELECT listed, expires FROM record WHERE id = ? AND expires > ?", id, time)
        guard let row = try rows.next() else { return nil }
        let (listed, expires): (Double?, Double) = (row[0], row[1])
        return MovedRecord(
            id: id, values: values, since: listed.map { Date(timeIntervalSince1970: $0) },
            timeToLive: .seconds(expires - time))
    }
}
