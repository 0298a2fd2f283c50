// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB

extension Transaction {
    /// Counts a change of schedules. Returns its number.
    private mutating func nextRevision() throws -> Int {
        tellSchedules()
        try db.run("UPDATE counter SET value = value + 1 WHERE name = 'schedules'")
        return try StoredSchedule.revision(db)
    }

    private var milliseconds: Int { Int((time * 1000).rounded(.down)) }

    /// Puts a configuration in the place of the version that it was made from. Returns whether that was still there.
    mutating func keep(
        _ name: String, _ configuration: [UInt8], replacing version: Int, restarting: Bool
    ) throws -> Bool {
        let present = try db.value(Int.self, "SELECT version FROM schedule WHERE name = ?", name)
        guard present ?? 0 == version else { return false }
        try db.run(
            """
            INSERT INTO schedule (name, version, configuration, last) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO UPDATE SET version = ?2, configuration = ?3,
                last = iif(?5 AND (last < ?4 OR last - ?4 > ?6), ?4, last)
            """, name, try nextRevision(), configuration, milliseconds, restarting,
            ScheduleRecord.Progress.mostAhead)
        return true
    }

    /// The same, with the progress.
    mutating func keepWhole(
        _ record: ScheduleRecord, _ configuration: [UInt8], replacing version: Int
    ) throws -> Bool {
        let isKept = try keep(record.name, configuration, replacing: version, restarting: false)
        if isKept { try note(record.progress, of: record.name) }
        return isKept
    }

    private func note(_ progress: ScheduleRecord.Progress, of name: String) throws {
        try db.run(
            "UPDATE schedule SET last = ?, tick = ?, at = ?, task = ?, sent = ?, dropped = ? WHERE name = ?",
            progress.last, progress.sentTick, progress.sentAt, progress.taskID, progress.sent, progress.dropped, name)
    }

    /// Forgets a schedule of this version. Returns whether there was one.
    mutating func forgetSchedule(_ name: String, version: Int) throws -> Bool {
        guard try db.run("DELETE FROM schedule WHERE name = ? AND version = ?", name, version) == 1 else {
            return false
        }
        _ = try nextRevision()
        return true
    }

    /// Deals with ticks, if the schedule is still as the step was reckoned from.
    mutating func take(_ step: TickStep) throws -> TickReceipt {
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: "SELECT last, tick, at, task, sent, dropped FROM schedule WHERE name = ? AND version = ?"),
            arguments: [step.name, step.version])
        guard let row else { return .changed }
        let progress = ScheduleRecord.Progress(
            last: row[0], sentTick: row[1], sentAt: row[2], taskID: row[3], sent: row[4], dropped: row[5])
        guard progress.last == step.last else { return .overtaken(progress) }
        guard step.notBefore <= milliseconds else { return .early }
        try note(Set(step.messages.map(\.queue)))
        try write(step.effects)
        try note(progress.after(step, at: milliseconds), of: step.name)
        return .done
    }
}

/// Reading schedules.
enum StoredSchedule {
    /// The number of the last change of any schedule.
    @Sendable
    static func revision(_ db: Database) throws -> Int {
        try db.value(Int.self, "SELECT value FROM counter WHERE name = 'schedules'") ?? 0
    }

    /// All schedules, by name.
    static func all(_ db: Database) throws -> [ScheduleRecord] {
        var records: [ScheduleRecord] = []
        let rows = try db.rows(
            "SELECT name, version, configuration, last, tick, at, task, sent, dropped FROM schedule ORDER BY name")
        while let row = try rows.next() {
            let progress = ScheduleRecord.Progress(
                last: row[3], sentTick: row[4], sentAt: row[5], taskID: row[6], sent: row[7], dropped: row[8])
            records.append(
                ScheduleRecord(row[0], version: row[1], configuration: try row.bytes(2), progress: progress))
        }
        return records
    }
}
