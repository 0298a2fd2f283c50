// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What holds for every call of a task, unless the call says otherwise.
public struct TaskOptions: Sendable {
    /// The queue; `nil` leaves it to the app's routes, then to its default queue.
    public var queue: String?
    /// Celery's priority on Redis, 0 (first) to 9 (last).
    public var priority: Int?
    /// When a failed run is repeated.
    public var retry: RetryPolicy
    /// Decides about single errors before the policy does.
    public var onError: (@Sendable (any Error) -> ErrorDecision)?
    /// After this time the run is cancelled, with `SoftTimeLimitExceeded` as its failure.
    public var softTimeLimit: Duration?
    /// After this time the run is given up, with `TimeLimitExceeded` as its failure.
    public var timeLimit: Duration?
    /// How often each worker may begin to run it; `nil` sets no limit. A call over the limit waits in the broker, not in a slot.
    public var rateLimit: RateLimit?
    /// How long after the call the task may still start; `nil` means for ever.
    public var expires: Duration?
    /// Whether no status is kept of success and failure.
    public var ignoresResult: Bool
    /// Whether the status STARTED is stored when a run begins: one more write a task.
    public var tracksStart: Bool
    /// How long the result is kept, and what comes before it, such as PROGRESS; `nil` takes the app's setting.
    public var resultExpires: Duration?
    /// Headers added to every message.
    public var headers: [String: JSON]

    /// Makes options; what is not given is left to the app.
    public init(
        queue: String? = nil, priority: Int? = nil, retry: RetryPolicy = .whenAsked,
        softTimeLimit: Duration? = nil, timeLimit: Duration? = nil, rateLimit: RateLimit? = nil,
        expires: Duration? = nil,
        ignoresResult: Bool = false, tracksStart: Bool = false, resultExpires: Duration? = nil,
        headers: [String: JSON] = [:], onError: (@Sendable (any Error) -> ErrorDecision)? = nil
    ) {
        self.queue = queue
        self.priority = priority
        self.retry = retry
        self.onError = onError
        self.softTimeLimit = softTimeLimit
        self.timeLimit = timeLimit
        self.rateLimit = rateLimit
        self.expires = expires
        self.ignoresResult = ignoresResult
        self.tracksStart = tracksStart
        self.resultExpires = resultExpires
        self.headers = headers
    }

    /// What makes no sense in these options, each with the way to mend it.
    var problems: [String] {
        var problems: [String] = []
        if let queue, queue.isEmpty { problems.append("its queue is the empty string") }
        if let priority, !(0...9).contains(priority) {
            problems.append("its priority is \(priority); 0 (first) to 9 (last) exist")
        }
        for name in headers.keys.sorted() where EnqueueOptions.isReserved(header: name) {
            problems.append("its header '\(name)' is the message's own, and cannot be given")
        }
        if let problem = retry.problem { problems.append("its retry policy: \(problem)") }
        if let soft = softTimeLimit, let hard = timeLimit, soft >= hard {
            problems.append(
                "its soft time limit (\(soft)) is not below its hard one (\(hard)), so it would never take effect")
        }
        if let rateLimit, !(rateLimit.runsPerSecond > 0 && rateLimit.runsPerSecond.isFinite) {
            problems.append("its rate limit is \(rateLimit); it must be above zero")
        }
        for (name, value) in [
            ("soft time limit", softTimeLimit), ("time limit", timeLimit), ("expires", expires),
            ("result expiry", resultExpires),
        ] {
            if let value, value <= .zero { problems.append("its \(name) is \(value); it must be above zero") }
        }
        if ignoresResult && tracksStart {
            problems.append("it ignores its result and tracks its start; a status is either kept or not")
        }
        if ignoresResult && resultExpires != nil {
            problems.append("it ignores its result and says how long to keep it")
        }
        return problems
    }
}
