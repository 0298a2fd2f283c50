// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// Throw this from a task's body to have it run again.
///
/// Counts against the policy's ``RetryPolicy/maxRetries``; when those are used up the task fails with `cause`, or with
/// `MaxRetriesExceededError` where there is none, as in Celery.
public struct Retry: Error, Sendable {
    /// How long to wait first; `nil` takes the policy's delay.
    public var delay: Duration?
    /// The error that made it necessary, which the RETRY status shows.
    public var cause: (any Error)?

    /// Asks for another attempt after the policy's delay.
    public init(because cause: (any Error)? = nil) {
        self.cause = cause
    }

    /// Asks for another attempt after `delay`.
    public init(after delay: Duration, because cause: (any Error)? = nil) {
        self.delay = delay
        self.cause = cause
    }
}

/// Throw this from a task's body to end it without a trace: no status is stored, as with Celery's `Ignore`.
public struct Ignore: Error, Sendable {
    /// Makes one.
    public init() {}
}

/// Throw this from a task's body to refuse the message.
///
/// Refused for good, it fails with `Reject` and is kept among the dead letters. With `requeue` it goes back to its queue after a second,
/// so that a task that nobody takes does not spin, and stores no status.
public struct Reject: Error, Sendable {
    /// Whether the message should be tried again.
    public var requeue: Bool
    /// Why, in words.
    public var reason: String

    /// Refuses the message.
    public init(_ reason: String = "rejected by the task", requeue: Bool = false) {
        self.reason = reason
        self.requeue = requeue
    }
}
