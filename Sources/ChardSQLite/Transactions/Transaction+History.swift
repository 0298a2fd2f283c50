// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB

extension Transaction {
    /// Adds attempts to the history, and forgets as many that are too old or too many, and more: so that a backlog shrinks.
    func note(_ attempts: [AttemptRecord]) throws {
        guard settings.history.isKept else { return }
        for attempt in attempts {
            try db.run(
                "INSERT INTO history (id, ended, good, record) VALUES (?, ?, ?, ?)", attempt.id,
                attempt.endedAt.timeIntervalSince1970, attempt.isGood, attempt.json)
        }
        try forgetHistory(atMost: 2 * attempts.count + 10)
    }

    /// Forgets attempts that are too old or too many. Returns how many.
    @discardableResult
    func forgetHistory(atMost limit: Int) throws -> Int {
        try db.run(
            """
            DELETE FROM history WHERE number IN (
                SELECT number FROM (SELECT number, ended FROM history ORDER BY number LIMIT ?1)
                WHERE ended < ?2 OR number <= (SELECT max(number) FROM history) - ?3)
            """, limit, time - settings.history.timeToLive.seconds, settings.history.attempts)
    }
}

/// Reading the history, which needs no transaction of its own.
enum StoredAttempt {
    static func all(_ db: Database, of id: String, since: Double) throws -> [Attempt] {
        try db.values(
            Data.self, "SELECT record FROM history WHERE id = ? AND ended >= ? ORDER BY number", id, since
        ).compactMap { Attempt(id: id, stored: $0) }
    }

    static func last(
        _ db: Database, since: Double, onlyBad: Bool, limit: Int, _ isWanted: (Attempt) -> Bool
    ) throws -> [Attempt] {
        var found: [Attempt] = []
        var before = Int64.max
        let page = 500
        while found.count < limit {
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT number, id, record FROM history
                    WHERE number < ? AND ended >= ? AND good <= ? ORDER BY number DESC LIMIT ?
                    """, arguments: [before, since, onlyBad ? 0 : 1, page])
            for row in rows {
                before = row["number"]
                let (id, record): (String, Data) = (row["id"], row["record"])
                if let attempt = Attempt(id: id, stored: record), isWanted(attempt) { found.append(attempt) }
            }
            if rows.count < page { break }
        }
        return Array(found.prefix(limit))
    }

    /// - Parameter cursor: The number of the last that was read.
    static func after(_ db: Database, _ cursor: HistoryCursor?, since: Double, limit: Int) throws -> HistoryPage {
        let rows = try Row.fetchAll(
            db,
            sql: "SELECT number, id, record FROM history WHERE number > ? AND ended >= ? ORDER BY number LIMIT ?",
            arguments: [cursor.flatMap { Int64($0.text) } ?? 0, since, limit])
        let attempts = rows.compactMap { row -> Attempt? in
            let (id, record): (String, Data) = (row["id"], row["record"])
            return Attempt(id: id, stored: record)
        }
        let last: Int64? = rows.last?["number"]
        return HistoryPage(attempts, then: last.map { HistoryCursor(String($0)) } ?? cursor ?? HistoryCursor("0"))
    }
}
