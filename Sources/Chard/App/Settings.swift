// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What holds for a whole app: names, lifetimes, limits and the source of time.
///
/// ```swift
/// let app = Chard("shop", settings: Settings(defaultQueue: "swift", resultExpires: .seconds(3_600)))
/// ```
public struct Settings: Sendable {
    /// Where a task without queue or route goes.
    public var defaultQueue: String
    /// How long results are kept, where their task does not say otherwise.
    public var resultExpires: Duration
    /// What a worker accepts of one message, and a call may send.
    public var limits: MessageLimits
    /// Whether messages say their arguments once more as text, as Celery's do (`argsrepr`): Python's workers show it in their
    /// logs and events, and so does Flower. Say `false` where arguments are nobody's business.
    public var describesArguments: Bool
    /// The names of arguments, parameters and members of objects whose values are shown as `'***'` where messages or logs
    /// show arguments. Capitals make no difference. What the tasks themselves get is not changed.
    public var redactedArguments: Set<String>
    /// Whether each call is told to Celery's tools, as an event `task-sent`: one more message for the broker.
    public var sendsSentEvents: Bool
    /// Whether stored statuses say more of their task, as with Celery's `result_extended`: name, args, kwargs, worker, retries
    /// and queue. Arguments are stored as they are, whatever ``redactedArguments`` says of texts.
    public var resultExtended: Bool
    /// How many messages are kept in memory while the broker is away; 0 makes an enqueue fail after its deadline instead.
    /// What is kept is lost with the process.
    public var sendBuffer: Int
    /// Up to so many bytes, the message of a task that has failed for good is kept for as long as results are, so that it can be
    /// looked at and sent again: see ``Operator/Tasks/retry(_:)``. 0 keeps none.
    public var failedMessageLimit: Int
    /// The present time. Tests set a clock of their own.
    public var now: @Sendable () -> Date

    /// Makes settings; what is not given is as in Celery: the queue `celery`, results for a day.
    public init(
        defaultQueue: String = "celery", resultExpires: Duration = .seconds(86_400), limits: MessageLimits = .default,
        describesArguments: Bool = true, redactedArguments: Set<String> = Settings.usuallyRedacted,
        sendsSentEvents: Bool = false, resultExtended: Bool = false, sendBuffer: Int = 0,
        failedMessageLimit: Int = 16 << 10, now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.defaultQueue = defaultQueue
        self.resultExpires = resultExpires
        self.limits = limits
        self.describesArguments = describesArguments
        self.redactedArguments = redactedArguments
        self.sendsSentEvents = sendsSentEvents
        self.resultExtended = resultExtended
        self.sendBuffer = sendBuffer
        self.failedMessageLimit = failedMessageLimit
        self.now = now
    }
}
