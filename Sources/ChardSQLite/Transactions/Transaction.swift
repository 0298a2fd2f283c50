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
    /// The last number that was given out; `nil` before it is asked for.
    private var lastNumber: Int64?
    /// Whether it is to be written down.
    private var isCounted = false
    /// The queues to which dead letters were added.
    private var buried: Set<String> = []
    /// How many statuses were stored.
    private var stored = 0
    /// How many joins were opened, or have counted an end.
    private var joined = 0
    /// How many values of records were changed.
    private var recorded = 0

    init(_ db: Database, settings: SQLiteSettings, now: Date = Date()) {
        self.db = db
        self.settings = settings
        self.now = now
    }

    var time: Double { now.timeIntervalSince1970 }

    /// A number that was never given out before.
    mutating func nextNumber() throws -> Int64 {
        isCounted = true
        return try nextMessageNumber()
    }

    /// The same for a message that is about to be stored. As long as it is there, the number need not be written down as well: that
    /// is one page less for each call that is sent alone.
    mutating func nextMessageNumber() throws -> Int64 {
        let number = try knownNumber() + 1
        lastNumber = number
        return number
    }

    /// Writes down which numbers were given out, before messages go that bear them.
    mutating func countNumbers() throws {
        _ = try knownNumber()
        isCounted = true
    }

    private mutating func knownNumber() throws -> Int64 {
        if let lastNumber { return lastNumber }
        let number = try db.value(
            Int64.self,
            """
            SELECT max(value, ifnull((SELECT max(number) FROM message), 0)) FROM counter WHERE name = 'number'
            """)
        lastNumber = number ?? 0
        return number ?? 0
    }

    /// Does what is done once for all callers, at the end.
    mutating func finish() throws {
        for queue in buried { try trimLetters(of: queue) }
        // Each transaction that stores statuses, or counts ends, deletes expired ones: so the file stays small even where no
        // process lives long enough, or has the time, to tidy. Twice as many as it has stored, so that a backlog shrinks.
        if stored > 0 { try forgetStatuses(atMost: 2 * stored) }
        if joined > 0 { try forgetJoins(atMost: 2 * joined) }
        if recorded > 0 { try forgetRecords(atMost: 2 * recorded) }
        if isCounted, let lastNumber { try db.run("UPDATE counter SET value = ? WHERE name = 'number'", lastNumber) }
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

    mutating func noteJoined() {
        joined += 1
    }

    mutating func noteRecord() {
        recorded += 1
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
