// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Time limits of tasks that were changed while a worker runs. While none was, looking is one atomic read.
final class TaskTimeLimits: Sendable {
    struct Limits: Sendable, Hashable {
        var soft: Duration?
        var hard: Duration?
    }

    private let isChanged = Atomic(false)
    private let changed = Mutex<[String: Limits]>([:])

    /// The limits that a task was given, if any.
    subscript(task: String) -> Limits? {
        guard isChanged.load(ordering: .relaxed) else { return nil }
        return changed.withLock { $0[task] }
    }

    func set(_ limits: Limits, of task: String) {
        changed.withLock { $0[task] = limits }
        isChanged.store(true, ordering: .relaxed)
    }
}
