// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// An encoded attempt on its way into a history, as a ``StatusRecord`` is an encoded status: it passes through many hands, and
/// an attempt is large.
public struct AttemptRecord: Sendable, Hashable {
    /// The task's id.
    public var id: String
    /// Whether it ended as it should: see ``Attempt/End/isGood``.
    public var isGood: Bool
    /// When it ended.
    public var endedAt: Date
    /// The text to store beside the id: one line.
    public var json: [UInt8]

    /// Makes a record of `attempt`.
    public init(_ attempt: Attempt) {
        id = attempt.id
        isGood = attempt.end.isGood
        endedAt = attempt.endedAt
        json = attempt.encoded()
    }

    /// The attempt; `nil` if what is stored is something else.
    public var attempt: Attempt? { Attempt(id: id, stored: json) }
}
