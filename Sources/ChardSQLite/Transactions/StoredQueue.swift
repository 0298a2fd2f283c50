// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB

/// Reading what is in queues.
enum StoredQueue {
    /// Every queue that somebody used in the last 30 days, that a worker watches now, or that holds something.
    ///
    /// Where a table is sorted by queue, each name is found by leaping over the rows of the one before.
    static func names(_ db: Database, now: Date, oldestLetter: Date) throws -> Set<String> {
        var names = Set(
            try db.values(
                String.self,
                """
                WITH RECURSIVE waits(name) AS (
                    SELECT min(queue) FROM waiting
                    UNION ALL SELECT (SELECT min(queue) FROM waiting WHERE queue > name) FROM waits WHERE name NOTNULL
                ), died(name) AS (
                    SELECT min(queue) FROM dead
                    UNION ALL SELECT (SELECT min(queue) FROM dead WHERE queue > name) FROM died WHERE name NOTNULL
                )
                SELECT name FROM queue WHERE used > ?1 OR paused
                UNION SELECT name FROM waits WHERE name NOTNULL
                UNION SELECT name FROM died WHERE EXISTS (SELECT 1 FROM dead WHERE queue = name AND died >= ?2)
                UNION SELECT queue FROM delayed JOIN message ON message.number = delayed.message
                UNION SELECT queue FROM leased JOIN message ON message.number = leased.message
                """, now.timeIntervalSince1970 - Transaction.queueMemory, oldestLetter.timeIntervalSince1970))
        for queues in try db.values(Data.self, "SELECT queues FROM holder") {
            names.formUnion(try JSON.decode([String].self, from: [UInt8](queues)))
        }
        return names
    }

    /// The same queues with what is in them, by name.
    static func reports(_ db: Database, now: Date, oldestLetter: Date) throws -> [QueueReport] {
        var reports: [String: QueueReport] = [:]
        func set(_ queue: String, _ change: (inout QueueReport) -> Void) {
            change(&reports[queue, default: QueueReport(queue: queue, waiting: 0, delayed: 0, leased: 0, dead: 0)])
        }
        func count(_ sql: String, _ arguments: Double?..., change: (inout QueueReport, Int) -> Void) throws {
            let rows = try Row.fetchCursor(db, sql: sql, arguments: StatementArguments(arguments))
            while let row = try rows.next() { set(row[0]) { change(&$0, row[1]) } }
        }
        for queue in try names(db, now: now, oldestLetter: oldestLetter) { set(queue) { _ in } }
        for queue in try db.values(String.self, "SELECT name FROM queue WHERE paused") {
            set(queue) { $0.isPaused = true }
        }
        try count("SELECT queue, count(*) FROM waiting GROUP BY queue") { $0.waiting = $1 }
        try count(
            """
            SELECT queue, count(*) FROM delayed JOIN message ON message.number = delayed.message GROUP BY queue
            """
        ) { $0.delayed = $1 }
        try count(
            "SELECT queue, count(*) FROM leased JOIN message ON message.number = leased.message GROUP BY queue"
        ) { $0.leased = $1 }
        try count(
            "SELECT queue, count(*) FROM dead WHERE died >= ? GROUP BY queue", oldestLetter.timeIntervalSince1970
        ) { $0.dead = $1 }
        for queue in reports.keys {
            let ages = try Priority.steps.indices.compactMap { step in
                try db.value(
                    [UInt8].self,
                    """
                    SELECT payload FROM waiting JOIN message ON message.number = waiting.message
                    WHERE waiting.queue = ? AND waiting.step = ? ORDER BY position LIMIT 1
                    """, queue, step
                ).flatMap { MessageAge.seconds(of: $0, now: now) }
            }
            reports[queue]?.oldestWait = ages.max()
        }
        return reports.values.sorted { $0.queue < $1.queue }
    }
}
