// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A list of a queue that nobody reads who goes by this broker's steps of priority.
struct UnreadList: Sendable, Hashable {
    let queue: String
    /// The least priority of its step.
    let step: Int
    /// What stands before the step; `nil` for a list of what was delayed, which a worker with other steps has left.
    let separator: String?
    let key: String

    /// The list, as it is shown: the usual separator is not for the eyes.
    var words: String {
        guard let separator else { return "\(queue), due, at priority \(step)" }
        return separator == PrioritySteps.usualSeparator
            ? "\(queue) at priority \(step)" : "\(queue)\(separator)\(step)"
    }
}
