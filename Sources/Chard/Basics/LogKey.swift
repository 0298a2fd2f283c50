// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The names under which log lines have their values: one thing has one name on all of them.
package enum LogKey {
    /// A task's name; its shadow, where it has one.
    package static let task = "task"
    /// A task's id.
    package static let taskID = "task_id"
    /// The id of the trace that a task belongs to.
    package static let traceID = "trace_id"
    /// The ids of several tasks.
    package static let taskIDs = "task_ids"
    /// The queue.
    package static let queue = "queue"
    /// A worker's node name.
    package static let node = "node"
    /// What an error says.
    package static let error = "error"
    /// How many there are.
    package static let count = "count"
}

extension LogKey {
    /// So many ids as are of use on one line, and how many more there are.
    package static func list(_ ids: some Collection<String>) -> String {
        let most = 20
        let listed = ids.prefix(most).map { $0.shortened(to: 100) }.joined(separator: " ")
        return ids.count > most ? "\(listed) and \(ids.count - most) more" : listed
    }
}
