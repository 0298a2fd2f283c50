// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB

extension SQLiteBroker: ScheduleStore {
    /// All schedules.
    public func schedules() async throws -> ScheduleBoard {
        try await engine.read { db in
            var records: [ScheduleRecord] = []
            let rows = try db.rows(
                "SELECT name, version, configuration, last, tick, at, task, sent, dropped FROM schedule ORDER BY name")
            while let row = try rows.next() {
                let progress = ScheduleRecord.Progress(
                    last: row[3], sentTick: row[4], sentAt: row[5], taskID: row[6], sent: row[7], dropped: row[8])
                records.append(
                    ScheduleRecord(row[0], version: row[1], configuration: try row.bytes(2), progress: progress))
            }
            return ScheduleBoard(revision: try ScheduleRecord.revision(db), records: records)
        }
    }

    /// The number of the last change, and this machine's time: all processes on the file share it.
    public func scheduleRevision() async throws -> (revision: Int, now: Date) {
        (try await engine.read(ScheduleRecord.revision), Date())
    }

    /// Puts a record in its place.
    public func keep(_ record: ScheduleRecord, replacing version: Int, restarting: Bool) async throws -> Bool {
        let configuration = try record.configuration()
        return try await engine.write(durably: true) { transaction in
            try transaction.keep(record.name, configuration, replacing: version, restarting: restarting)
        }
    }

    /// Forgets a schedule.
    public func forgetSchedule(_ name: String, version: Int) async throws -> Bool {
        try await engine.write(durably: true) { transaction in
            try transaction.forgetSchedule(name, version: version)
        }
    }

    /// Deals with ticks.
    public func send(_ step: TickStep) async throws -> TickReceipt {
        try await engine.write(durably: true) { transaction in try transaction.take(step) }
    }

    /// Calls `action` when schedules have changed, whichever process has changed them.
    public func watchSchedules(_ action: @escaping @Sendable () -> Void) async throws -> any Sendable {
        let watch = ScheduleWatch(engine)
        try await engine.write(durably: false) { _ in
        } afterwards: { [name = watch.name] loop, _ in
            loop.watchSchedules(name, action)
        }
        return watch
    }

    /// Ends the watching with its own life.
    private final class ScheduleWatch: Sendable {
        let name = TaskID.random()
        private let engine: Engine

        init(_ engine: Engine) {
            self.engine = engine
        }

        deinit {
            engine.submit(
                Job(isDurable: false) { [name] _ in
                    { loop in loop.unwatchSchedules(name) }
                } fail: { _ in
                })
        }
    }
}

extension Transaction {
    private mutating func nextRevision() throws -> Int {
        tellSchedules()
        try db.run("UPDATE counter SET value = value + 1 WHERE name = 'schedules'")
        return try ScheduleRecord.revision(db)
    }

    private var milliseconds: Int { Int((time * 1000).rounded(.down)) }

    fileprivate mutating func keep(
        _ name: String, _ configuration: [UInt8], replacing version: Int, restarting: Bool
    ) throws -> Bool {
        let present = try db.value(Int.self, "SELECT version FROM schedule WHERE name = ?", name)
        guard present ?? 0 == version else { return false }
        try db.run(
            """
            INSERT INTO schedule (name, version, configuration, last) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO UPDATE SET version = ?2, configuration = ?3, last = iif(?5, max(last, ?4), last)
            """, name, try nextRevision(), Data(configuration), milliseconds, restarting)
        return true
    }

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

    fileprivate mutating func forgetSchedule(_ name: String, version: Int) throws -> Bool {
        guard try db.run("DELETE FROM schedule WHERE name = ? AND version = ?", name, version) == 1 else {
            return false
        }
        _ = try nextRevision()
        return true
    }

    fileprivate mutating func take(_ step: TickStep) throws -> TickReceipt {
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
        try send(step.messages)
        try note(progress.after(step, at: milliseconds), of: step.name)
        return .done
    }
}
