// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What became of a message that was sent. There will be more cases: give a `switch` over it a `default`.
public enum Placement: Sendable, Hashable {
    /// It waits in its queue, for any worker to take.
    case queued
    /// It waits in the broker for its time, and goes to its queue then.
    case delayed(until: Date)
    /// It is kept in this process until the broker is back, and is lost with the process; see ``Settings/sendBuffer``.
    case buffered
    /// It has run already, in the task of its sender; see ``Chard/runImmediately(failures:)``.
    case ran

    /// Where a broker puts a message at this time: aside, if it is due later.
    public init(of message: OutgoingMessage, at now: Date) {
        if let dueAt = message.dueAt, dueAt > now {
            self = .delayed(until: dueAt)
        } else {
            self = .queued
        }
    }
}
