// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// How often each task may start in a worker. Where no task has a limit, asking is one atomic read.
final class TaskRates: Sendable {
    private struct State {
        /// What was changed while the worker runs; nil takes a limit away.
        var changed: [String: RateLimit?] = [:]
        var buckets: [String: RateBucket] = [:]
    }

    private let isUsed = Atomic(false)
    private let state = Mutex(State())
    private let start = ContinuousClock.now

    /// Looks whether any task has a limit.
    func begin(with tasks: some Sequence<RegisteredTask>) {
        if tasks.contains(where: { $0.options.rateLimit != nil }) { isUsed.store(true, ordering: .relaxed) }
    }

    /// The limit of a task.
    subscript(task: RegisteredTask) -> RateLimit? {
        guard isUsed.load(ordering: .relaxed) else { return nil }
        return state.withLock { $0.changed[task.name] ?? task.options.rateLimit }
    }

    /// Gives a task another limit, or none.
    func set(_ limit: RateLimit?, of task: String) {
        state.withLock { state in
            state.changed[task] = .some(limit)
            state.buckets[task] = nil
        }
        isUsed.store(true, ordering: .relaxed)
    }

    /// Asks to run a task. Returns `nil` if it may, else how long it is to wait.
    func wait(_ run: TaskRun) -> Duration? {
        let task = run.task
        guard let limit = self[task] else { return nil }
        let now = (ContinuousClock.now - start).seconds
        let hasWaited = run.message.headers[RateLimit.waitedHeader]?.bool ?? false
        return state.withLock { state in
            state.buckets[task.name, default: RateBucket(rate: limit.runsPerSecond, at: now)]
                .take(at: now, hasWaited: hasWaited, luck: .random(in: 0...1)).map { .seconds($0) }
        }
    }
}
