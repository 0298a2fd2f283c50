// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Calls that are sent together, as messages.
struct CallBatch: Sendable {
    var messages: [TaskMessage] = []
    /// The strictest that one of them asks for.
    var durability: Durability?
    /// The message of the task that makes the calls, if one does.
    let parent: TaskMessage?

    init(by parent: TaskMessage?) { self.parent = parent }
}
