// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A time of a schedule that is over, and what came of it.
public struct ScheduleTick: Sendable, Hashable {
    /// The time that the schedule names.
    public var time: Date
    /// The id of the task that is sent at this time: the same, whoever sends it.
    public var taskID: String
    /// How its task ended last, as long as its history is kept.
    public var attempt: Attempt?
    /// The state of its task, as long as a status is kept.
    public var state: TaskState?

    /// Whether anything is known of its task. If not, the time was missed, or what came of it is forgotten.
    public var isKnown: Bool { attempt != nil || state != nil }

    /// How many seconds after its time it began to run; `nil` where that is not known.
    public var lateness: Double? { attempt?.startedAt.map { max(0, $0.timeIntervalSince(time)) } }
}

extension Operator.Schedules {
    /// The last times of a schedule, the newest first, as it is now: where it was changed, those of before are not among them.
    ///
    /// Nothing is kept for this: a time and the name of the schedule make the id of its task, of which history and results tell.
    /// - Parameters:
    ///   - name: The schedule's name.
    ///   - limit: How many are given at most.
    public func ticks(of name: String, limit: Int = 20) async throws -> [ScheduleTick] {
        guard let record = try await find(name), record.unreadable == nil, let schedule = record.schedule else {
            return []
        }
        let most = min(limit, record.progress.sent + record.progress.dropped)
        var ticks: [ScheduleTick] = []
        var time = record.progress.last + 1
        while ticks.count < most, let tick = try schedule.previous(before: time, .system) {
            ticks.append(ScheduleTick(time: Date(milliseconds: tick), taskID: TaskID.of(tick: tick, schedule: name)))
            time = tick
        }
        let history = try app.broker.power(.history)
        let results = try app.results
        return try await withThrowingTaskGroup(of: (Int, Attempt?, TaskState?).self) { group in
            for (index, tick) in ticks.enumerated() {
                group.addTask {
                    async let attempts = history?.attempts(of: tick.taskID)
                    async let status = results.status(of: tick.taskID)
                    return (index, try await attempts?.last, try await status?.state)
                }
            }
            for try await (index, attempt, state) in group {
                ticks[index].attempt = attempt
                ticks[index].state = state
            }
            return ticks
        }
    }
}
