// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB

/// One write transaction, which may do the work of many callers: all of it is in the file, or nothing.
///
/// It has the file for itself from its first statement on (`BEGIN IMMEDIATE`), so that what it reads stays true until it
/// is over. Everything that changes the file is in the extensions of this type.
struct Transaction {
    let db: Database
    let settings: SQLiteSettings
    let now: Date
    private(set) var news = News()
    /// The last number that was given out; `nil` before the first is asked for.
    private var lastNumber: Int64?
    /// The queues to which dead letters were added.
    private var buried: Set<String> = []
    /// How many statuses were stored.
    private var stored = 0

    init(_ db: Database, settings: SQLiteSettings, now: Date = Date()) {
        self.db = db
        self.settings = settings
        self.now = now
    }

    var time: Double { now.timeIntervalSince1970 }

    /// A number that was never given out before.
    mutating func nextNumber() throws -> Int64 {
        let number =
            try (lastNumber ?? db.value(Int64.self, "SELECT value FROM counter WHERE name = 'number'") ?? 0) + 1
        lastNumber = number
        return number
    }

    /// Writes what was kept back until the end.
    mutating func finish() throws {
        for queue in buried { try trimLetters(of: queue) }
        // Who adds takes away: so the file is bounded however short the processes live that store results, and however
        // busy they are. Twice as many, so that what others have left behind comes to an end, too.
        if stored > 0 { try forgetStatuses(atMost: 2 * stored) }
        if let lastNumber { try db.run("UPDATE counter SET value = ? WHERE name = 'number'", lastNumber) }
    }

    mutating func tellWork(in queue: String) {
        if !news.work.contains(queue) { news.work.insert(queue) }
    }

    mutating func tellDue(at due: Date) {
        news.due = min(news.due ?? due, due)
    }

    mutating func tellStatus() {
        news.hasStatuses = true
        stored += 1
    }

    mutating func tellOrders() {
        news.hasOrders = true
    }

    mutating func tellSchedules() {
        news.hasSchedules = true
    }

    mutating func noteBuried(in queue: String) {
        buried.insert(queue)
    }
}
