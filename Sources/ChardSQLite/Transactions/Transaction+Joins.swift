// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB

extension Transaction {
    /// Opens a join, anew if it is there.
    mutating func open(_ opening: JoinOpening) throws {
        if !opening.beginsAnew {
            let join = try StoredJoin.of(opening.group, db, now: now)
            if join.size != nil || join.isClosed { return }
        }
        try retireJoin(opening.group)
        try db.run(
            "INSERT INTO joined (id, size, members, expires) VALUES (?, ?, ?, ?)", opening.group, opening.size,
            opening.members, expiry(opening.timeToLive))
        noteJoined()
    }

    /// Adds members to a join that is open.
    func grow(_ growth: JoinGrowth) throws {
        try db.run(
            """
            UPDATE joined SET size = size + ?
            WHERE id = ? AND size NOTNULL AND closed = 0 AND (expires IS NULL OR expires > ?)
            """, growth.count, growth.group, time)
    }

    /// What a join has to say to a part; nothing is changed.
    func answer(to part: JoinPart) throws -> JoinAnswer {
        try StoredJoin.of(part.group, db, now: now).figures(for: part, db).answer(to: part)
    }

    /// Counts an end. Returns what the join has to say, which may be that it was not counted.
    mutating func join(_ part: JoinPart) throws -> JoinAnswer {
        let join = try StoredJoin.of(part.group, db, now: now)
        let figures = try join.figures(for: part, db)
        let answer = figures.answer(to: part)
        guard answer != .late, answer.isWritten(closing: part.closing) else { return answer }
        noteJoined()
        if part.closing == .success {
            let members = try StoredJoin.members(db, of: part.group, now: now)
            try retireJoin(part.group)
            try db.run(
                "INSERT INTO joined (id, members, closed, expires) VALUES (?, ?, 1, ?)", part.group,
                members, expiry(part.timeToLive))
            return answer
        }
        let number = try join.number ?? begin(part.group)
        if figures.isNew(part) {
            try db.run(
                "INSERT OR REPLACE INTO join_end (joined, member, place, success, json) VALUES (?, ?, ?, ?, ?)", number,
                part.member, part.index, part.isSuccess, part.end)
        }
        try db.run(
            "UPDATE joined SET count = count + ?, closed = ?, expires = ? WHERE number = ?",
            figures.known == nil ? 1 : 0, part.closing != nil, expiry(part.timeToLive), number)
        return answer
    }

    /// Makes a join that nobody has opened yet.
    func begin(_ group: String) throws -> Int64 {
        try retireJoin(group)
        try db.run("INSERT INTO joined (id) VALUES (?)", group)
        return db.lastInsertedRowID
    }

    /// Leaves a join to be deleted, with all its ends: they may be so many that it takes a while.
    func retireJoin(_ group: String) throws {
        try db.run("UPDATE joined SET id = NULL, expires = ? WHERE id = ?", time, group)
    }

    private func expiry(_ timeToLive: Duration?) -> Double? { timeToLive.map { time + $0.seconds } }
}

/// Reading joins.
struct StoredJoin {
    /// `nil` where there is none.
    var number: Int64?
    var size: Int?
    var count = 0
    var isClosed = false

    private static let present = "id = ? AND (expires IS NULL OR expires > ?)"

    static func of(_ group: String, _ db: Database, now: Date) throws -> StoredJoin {
        let rows = try db.rows(
            "SELECT number, size, count, closed FROM joined WHERE \(present)", group, now.timeIntervalSince1970)
        return try rows.next().map { StoredJoin(number: $0[0], size: $0[1], count: $0[2], isClosed: $0[3]) }
            ?? StoredJoin()
    }

    func figures(for part: JoinPart, _ db: Database) throws -> JoinFigures {
        let known = try number.flatMap {
            try db.value(Bool.self, "SELECT success FROM join_end WHERE joined = ? AND member = ?", $0, part.member)
        }
        return JoinFigures(size: size, count: count, known: known, isClosed: isClosed)
    }

    /// The ends that were counted, in the order of the members' places.
    static func ends(_ db: Database, of group: String, now: Date) throws -> [[UInt8]] {
        let rows = try db.rows(
            """
            SELECT json FROM join_end WHERE joined = (SELECT number FROM joined WHERE \(present))
            ORDER BY place IS NULL, place, number
            """, group, now.timeIntervalSince1970)
        var ends: [[UInt8]] = []
        while let row = try rows.next() { ends.append(try row.bytes(0)) }
        return ends
    }

    static func countEnds(_ db: Database, of group: String, upTo index: Int?, now: Date) throws -> Int {
        let present = "joined = (SELECT number FROM joined WHERE \(present))"
        let count = "SELECT COUNT(*) FROM join_end WHERE \(present)"
        let time = now.timeIntervalSince1970
        guard let index else { return try db.value(Int.self, count, group, time) ?? 0 }
        return try db.value(Int.self, "\(count) AND place <= ?", group, time, index) ?? 0
    }

    static func members(_ db: Database, of group: String, now: Date) throws -> [UInt8]? {
        try db.value(
            [UInt8].self, "SELECT members FROM joined WHERE \(present) AND members NOTNULL", group,
            now.timeIntervalSince1970)
    }
}
