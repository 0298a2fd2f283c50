// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// An encoded message on its way into a broker, with what the broker must know to place it.
///
/// A broker never reads the payload: where it goes, when and under which id is said beside it.
public struct OutgoingMessage: Sendable, Hashable {
    /// The task's id. Two messages may share one, as a retry shares that of its first attempt.
    public var id: String
    /// The queue, without the suffix of its priority.
    public var queue: String
    /// Celery's priority on Redis: 0 is served first, 9 last. Values outside are clamped.
    public var priority: Int
    /// The time before which no worker may claim the message; `nil` means now.
    public var dueAt: Date?
    /// The envelope, as it travels.
    public var payload: [UInt8]

    /// Makes a message for `queue`.
    public init(id: String, queue: String, priority: Int = 0, dueAt: Date? = nil, payload: [UInt8]) {
        self.id = id
        self.queue = queue
        self.priority = priority
        self.dueAt = dueAt
        self.payload = payload
    }
}
