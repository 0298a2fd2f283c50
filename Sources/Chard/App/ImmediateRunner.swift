// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Runs messages in the task of their sender; see ``Chard/runImmediately(failures:)``.
protocol ImmediateRunner: Sendable {
    /// Where it keeps what they come to.
    var store: any ResultStore { get }

    /// Runs the messages one after the other, to their ends.
    func run(_ messages: [TaskMessage], of app: Chard) async throws
}
