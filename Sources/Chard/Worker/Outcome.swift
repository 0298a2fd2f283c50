// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What one run came to.
public enum Outcome: Sendable {
    /// The body returned this, as JSON.
    case success([UInt8])
    /// It failed for good; with a reason, the message is kept as well.
    case failure(TaskError, keptAs: DeadLetter.Reason?)
    /// It is to run again at `at`, because of `cause`.
    case retry(at: Date, cause: TaskError)
    /// A workflow takes its place.
    case replaced(Replacement)
    /// Its time has not come.
    case tooEarly(Date)
    /// It has come more often than its worker may run it, and is to come again at this time.
    case rateLimited(until: Date)
    /// It was revoked, has expired or was terminated: the word says which.
    case revoked(String)
    /// No status, no further message.
    case ignored
    /// Sent back to the end of its queue, to be tried at this time.
    case requeued(at: Date)
    /// Refused: kept, without a status.
    case rejected(String)
    /// Not a message that can be run.
    case unreadable(MessageError)
    /// The worker ends: back to the front, uncounted.
    case returned
}
