// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Synchronization

extension MemoryBroker: ScheduleStore {
    /// All schedules.
    public func schedules() async throws -> ScheduleBoard {
        change { state, _ in state.schedules.board }
    }

    /// The number of the last change, and the time.
    public func scheduleRevision() async throws -> (revision: Int, now: Date) {
        change { state, now in (state.schedules.revision, now) }
    }

    /// Puts a record in its place.
    public func keep(_ record: ScheduleRecord, replacing version: Int, restarting: Bool) async throws -> Bool {
        changeSchedules { $0.keep(record, replacing: version, restarting: restarting, now: $1.milliseconds) }
    }

    /// Forgets a schedule.
    public func forgetSchedule(_ name: String, version: Int) async throws -> Bool {
        changeSchedules { schedules, _ in schedules.forget(name, version: version) }
    }

    private func changeSchedules(_ body: (inout ScheduleBook, Date) -> Bool) -> Bool {
        let (isDone, watchers) = change { state, now in
            (body(&state.schedules, now), Array(state.scheduleWatchers.values))
        }
        if isDone { for watcher in watchers { watcher() } }
        return isDone
    }

    /// Deals with ticks.
    public func send(_ step: TickStep) async throws -> TickReceipt {
        let receipt = change { state, now in
            let receipt = state.schedules.take(step, now: now.milliseconds)
            if receipt == .done { state.write(step.effects, now: now) }
            return receipt
        }
        if receipt == .done { onSend?(step.messages) }
        return receipt
    }

    /// Sleeps by the alarm of the settings, or by the system's timers.
    public func sleep(until date: Date, from now: Date) async {
        guard let alarm = settings.alarm else {
            try? await Task.sleep(for: .seconds(max(0, date.timeIntervalSince(now))), tolerance: .zero)
            return
        }
        let rung = Signal()
        alarm(date) { rung.fire() }
        await rung.wait()
    }

    /// How many watch in this process, as no other can.
    public func countBeats() async throws -> Int? {
        change { state, _ in state.scheduleWatchers.count }
    }

    /// Calls `action` whenever schedules have changed.
    public func watchSchedules(_ action: @escaping @Sendable () -> Void) async throws -> any Sendable {
        let id = TaskID.random()
        change { state, _ in state.scheduleWatchers[id] = action }
        return ScheduleWatch { self.change { state, _ in state.scheduleWatchers[id] = nil } }
    }
}
