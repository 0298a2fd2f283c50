// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The call that a schedule makes at each tick, as it is kept in the broker.
public struct PeriodicCall: Sendable, Hashable {
    /// The task's name.
    public var task: String
    /// The arguments.
    public var arguments: Arguments
    /// The queue; `nil` leaves it to the routes of the app whose scheduler sends the tick.
    public var queue: String?
    /// Celery's priority on Redis, 0 (first) to 9 (last).
    public var priority: Int?
    /// How long after it is sent the task may still start: after its tick, or after the scheduler was back.
    public var expires: Duration?
    /// After this time the run is cancelled.
    public var softTimeLimit: Duration?
    /// After this time the run is given up.
    public var timeLimit: Duration?
    /// Whether no status is kept.
    public var ignoresResult: Bool?
    /// The name that logs and events show in place of the task's.
    public var shadow: String?
    /// Headers of one's own.
    public var headers: [String: JSON]

    /// A call of a task by its name.
    public init(_ task: String, _ arguments: Arguments = Arguments(), queue: String? = nil) {
        self.task = task
        self.arguments = arguments
        self.queue = queue
        headers = [:]
    }

    var options: EnqueueOptions {
        EnqueueOptions(
            queue: queue, expires: expires, priority: priority, softTimeLimit: softTimeLimit, timeLimit: timeLimit,
            headers: headers, ignoresResult: ignoresResult, shadow: shadow)
    }

    var problems: [String] { options.problem.map { [$0] } ?? [] }
}
