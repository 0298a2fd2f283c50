// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// How long statuses are kept: as long as the app says, or their task.
public struct StatusLifetimes: Sendable, Hashable {
    /// The time of tasks that have none of their own.
    public var usual: Duration
    /// The times of those that have, by name.
    public var byTask: [String: Duration]

    /// Makes lifetimes.
    public init(_ usual: Duration, byTask: [String: Duration] = [:]) {
        self.usual = usual
        self.byTask = byTask
    }

    /// A day, as in Celery.
    public static let `default` = StatusLifetimes(.seconds(86_400))

    /// The time of a task; `nil` stands for one whose name is not known.
    public subscript(task: String?) -> Duration {
        guard !byTask.isEmpty, let task else { return usual }
        return byTask[task] ?? usual
    }
}
