// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What holds for one call, over the task's own options.
///
/// What is said most often can be said at the call itself: `add.enqueue(2, 3, in: .seconds(30), queue: "math")`.
public struct EnqueueOptions: Sendable {
    /// The queue.
    public var queue: String?
    /// Runs the task no sooner than this long after the call. Excludes `eta`.
    public var countdown: Duration?
    /// Runs the task no sooner than this. Excludes `countdown`.
    public var eta: Date?
    /// The task does not start later than this long after the call. Excludes `expiresAt`.
    public var expires: Duration?
    /// The task does not start later than this. Excludes `expires`.
    public var expiresAt: Date?
    /// Celery's priority on Redis, 0 (first) to 9 (last).
    public var priority: Int?
    /// The retry policy of this call. It travels in the message; Python workers do not read it.
    public var retry: RetryPolicy?
    /// After this time the run is cancelled, with `SoftTimeLimitExceeded` as its failure.
    public var softTimeLimit: Duration?
    /// After this time the run is given up, with `TimeLimitExceeded` as its failure.
    public var timeLimit: Duration?
    /// Headers of one's own, merged into the message's headers, where the task finds them.
    public var headers: [String: JSON]
    /// The task's id; `nil` makes a fresh UUID.
    public var id: String?
    /// Whether no status is kept.
    public var ignoresResult: Bool?
    /// The name that logs and lists of what runs show in place of the task's.
    public var shadow: String?
    /// Who keeps a message with an ETA until its time. `true` puts it on its queue at once and lets the worker hold it, as Celery's
    /// clients do; `false` keeps it in the broker, where no worker's end can touch it, and from where only Chard's workers bring
    /// it. By default, `nil`, it waits in the broker, unless no worker of Chard serves its queue while there are Python workers.
    public var workerHoldsETA: Bool?
    /// Which replicas must have taken the message before the call returns; `nil` waits for none. For calls that are sent at once:
    /// not for workflows, schedules and outboxes, whose messages others send. Such a message never waits in a send buffer.
    public var durability: Durability?

    /// Makes options; what is not given is left to the task.
    public init(
        queue: String? = nil, countdown: Duration? = nil, eta: Date? = nil, expires: Duration? = nil,
        expiresAt: Date? = nil, priority: Int? = nil, retry: RetryPolicy? = nil, softTimeLimit: Duration? = nil,
        timeLimit: Duration? = nil, headers: [String: JSON] = [:], id: String? = nil, ignoresResult: Bool? = nil,
        shadow: String? = nil, workerHoldsETA: Bool? = nil, durability: Durability? = nil
    ) {
        self.queue = queue
        self.countdown = countdown
        self.eta = eta
        self.expires = expires
        self.expiresAt = expiresAt
        self.priority = priority
        self.retry = retry
        self.softTimeLimit = softTimeLimit
        self.timeLimit = timeLimit
        self.headers = headers
        self.id = id
        self.ignoresResult = ignoresResult
        self.shadow = shadow
        self.workerHoldsETA = workerHoldsETA
        self.durability = durability
    }

    /// Takes over what a call says besides its options.
    mutating func take(
        in countdown: Duration?, at eta: Date?, queue: String?, priority: Int?, expires: Duration?, id: String?
    ) {
        if let countdown { self.countdown = countdown }
        if let eta { self.eta = eta }
        if let queue { self.queue = queue }
        if let priority { self.priority = priority }
        if let expires { self.expires = expires }
        if let id { self.id = id }
    }

    /// Whether a header of this name says something of the message itself, to Celery or to Chard.
    package static func isReserved(header name: String) -> Bool { HeaderKey(name) != nil }

    /// What makes no sense in these options of a call that something else sends than whoever makes it.
    var problemOfPart: String? {
        if durability != nil {
            return "a durability is for calls that are sent at once, not for workflows, schedules and outboxes"
        }
        return problem
    }

    /// What makes no sense in these options; `nil` if all is well.
    var problem: String? {
        if let problem = durability?.problem { return problem }
        if countdown != nil && eta != nil { return "give either a countdown or an eta, not both" }
        if expires != nil && expiresAt != nil { return "give either expires or expiresAt, not both" }
        if let expires, expires <= .zero { return "expires is \(expires); it must be above zero" }
        if let expires, let countdown, expires <= countdown {
            return "the task would expire (\(expires)) before its countdown (\(countdown)) is over"
        }
        if let eta, let expiresAt, expiresAt <= eta { return "the task would expire before its eta" }
        if let queue, queue.isEmpty { return "the queue is the empty string" }
        if let id, id.isEmpty { return "the id is the empty string" }
        if let priority, !(0...9).contains(priority) {
            return "the priority is \(priority); 0 (first) to 9 (last) exist"
        }
        if let problem = retry?.problem { return "the retry policy: \(problem)" }
        if let name = headers.keys.first(where: Self.isReserved) {
            return "the header '\(name)' is the message's own, and cannot be given"
        }
        if let soft = softTimeLimit, let hard = timeLimit, soft >= hard {
            return "the soft time limit (\(soft)) is not below the hard one (\(hard))"
        }
        return nil
    }
}
