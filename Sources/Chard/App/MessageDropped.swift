// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A message was not sent, because middleware left it out: what every question to its result throws.
public struct MessageDropped: Error, Sendable, Hashable, CustomStringConvertible {
    /// The id that the task would have had.
    public let id: String
    /// The task's name.
    public let task: String
    /// The type of the middleware.
    public let middleware: String

    /// What happened to which task.
    public var description: String {
        "task \(task)[\(id)] was not sent: the middleware \(middleware) left its message out"
    }
}
