// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension SQLiteBroker: ScheduleStore {
    /// All schedules.
    public func schedules() async throws -> ScheduleBoard {
        try await engine.read { db in
            ScheduleBoard(revision: try StoredSchedule.revision(db), records: try StoredSchedule.all(db))
        }
    }

    /// The number of the last change, and this machine's time: all processes on the file share it.
    public func scheduleRevision() async throws -> (revision: Int, now: Date) {
        (try await engine.read(StoredSchedule.revision), Date())
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

    /// How many beats have the file open, known by their locks.
    public func countBeats() async throws -> Int? {
        try await engine.open()
        return HolderLock.count(engine.location.bell, among: LockPlace.beats)
    }

    /// Calls `action` when schedules have changed, whichever process has changed them.
    public func watchSchedules(_ action: @escaping @Sendable () -> Void) async throws -> any Sendable {
        let name = TaskID.random()
        let watch = ScheduleWatch { [engine] in
            engine.submit(
                Job(isDurable: false) { _ in
                    { loop in loop.unwatchSchedules(name) }
                } fail: { _ in
                })
        }
        try await engine.write(durably: false) { _ in
        } afterwards: { loop, _ in
            loop.watchSchedules(name, action)
        }
        return (watch, HolderLock(engine.location.bell, among: LockPlace.beats))
    }
}
