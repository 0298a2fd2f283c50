// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB

/// Deletes what has expired, in slices small enough that no other writer waits long.
extension Transaction {
    private static let slice = 500
    /// How long a queue that nobody uses is listed, in seconds: 30 days. One that holds something is listed in any case.
    static let queueMemory = 30.0 * 86_400

    /// Whether there is anything to delete: asked before the file is taken for writing.
    static func hasWaste(_ db: Database, now: Date, letters: Duration, history: Duration) throws -> Bool {
        try db.value(
            Bool.self,
            """
            SELECT EXISTS (SELECT 1 FROM status WHERE expires <= ?1) OR EXISTS (SELECT 1 FROM dead WHERE died < ?2)
                OR EXISTS (SELECT 1 FROM joined WHERE expires <= ?1) OR EXISTS (SELECT 1 FROM revoked WHERE until <= ?1)
                OR EXISTS (SELECT 1 FROM record WHERE expires <= ?1)
                OR EXISTS (SELECT 1 FROM queue WHERE used < ?3 AND NOT paused)
                OR EXISTS (SELECT 1 FROM (SELECT ended FROM history ORDER BY number LIMIT 1) WHERE ended < ?4)
            """, now.timeIntervalSince1970, now.timeIntervalSince1970 - letters.seconds,
            now.timeIntervalSince1970 - queueMemory, now.timeIntervalSince1970 - history.seconds) ?? false
    }

    /// Deletes one slice. Returns whether there may be more.
    func tidy() throws -> Bool {
        let slice = Self.slice
        let letters = try db.run(
            "DELETE FROM dead WHERE number IN (SELECT number FROM dead WHERE died < ? LIMIT ?)",
            time - settings.deadLetterTimeToLive.seconds, slice / 10)
        let revocations = try db.run(
            "DELETE FROM revoked WHERE id IN (SELECT id FROM revoked WHERE until <= ? LIMIT ?)", time, slice)
        let queues = try db.run(
            "DELETE FROM queue WHERE name IN (SELECT name FROM queue WHERE used < ? AND NOT paused LIMIT ?)",
            time - Self.queueMemory, slice)
        let statuses = try forgetStatuses(atMost: slice)
        let joins = try forgetJoins(atMost: slice)
        let records = try forgetRecords(atMost: slice)
        if try forgetHistory(atMost: slice) == slice { return true }
        return statuses == slice || joins >= slice || records >= slice || letters == slice / 10 || revocations == slice
            || queues == slice
    }

    /// Deletes statuses that have expired. Returns how many.
    @discardableResult
    func forgetStatuses(atMost limit: Int) throws -> Int {
        try db.run(
            "DELETE FROM status WHERE number IN (SELECT number FROM status WHERE expires <= ? LIMIT ?)", time, limit)
    }

    /// Deletes ends of joins that have expired, and joins of which no end is left. Returns how many of both.
    @discardableResult
    func forgetJoins(atMost limit: Int) throws -> Int {
        let ends = try db.run(
            """
            DELETE FROM join_end WHERE number IN (
                SELECT join_end.number FROM joined CROSS JOIN join_end ON join_end.joined = joined.number
                WHERE expires <= ? ORDER BY expires LIMIT ?)
            """, time, limit)
        let joins = try db.run(
            """
            DELETE FROM joined WHERE number IN (SELECT number FROM joined WHERE expires <= ? ORDER BY expires LIMIT ?)
                AND NOT EXISTS (SELECT 1 FROM join_end WHERE joined = joined.number)
            """, time, limit)
        return ends + joins
    }

    /// Gives free pages back to the system where they are many; few will be used again soon. Not to be called in a transaction.
    /// Returns whether there may be more.
    static func shrink(_ db: Database) throws -> Bool {
        let free = try db.value(Int.self, "PRAGMA freelist_count") ?? 0
        let all = try db.value(Int.self, "PRAGMA page_count") ?? 0
        guard free > 1_024, free > all / 4 else { return false }
        try db.execute(sql: "PRAGMA incremental_vacuum(512)")
        return true
    }
}
