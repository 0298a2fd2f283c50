// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension Action {
    /// All that can be ordered.
    static let all: [Action] = [
        queueActions,
        taskActions,
        delayedActions,
        deadActions,
        batchActions,
        scheduleActions,
        workerActions,
        workflowActions,
    ].flatMap(\.self)
}
