// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// An attempt on its way into a history, behind one reference: it passes through many hands, and an attempt is large.
///
/// A store writes its text, ``json``, beside its id; text is made when it is asked for, so that a worker's own threads need not.
public struct AttemptRecord: Sendable, Hashable {
    private final class Box: Sendable {
        let attempt: Attempt

        init(_ attempt: consuming Attempt) { self.attempt = attempt }
    }

    private let box: Box

    /// Makes a record of `attempt`.
    public init(_ attempt: consuming Attempt) { box = Box(attempt) }

    /// The attempt.
    public var attempt: Attempt { box.attempt }
    /// The task's id.
    public var id: String { box.attempt.id }
    /// Whether it ended as it should: see ``Attempt/End/isGood``.
    public var isGood: Bool { box.attempt.end.isGood }
    /// When it ended.
    public var endedAt: Date { box.attempt.endedAt }
    /// The text to store beside the id: one line.
    public var json: [UInt8] { box.attempt.encoded() }

    /// Adds ``json`` to the end of `text`.
    package func append(to text: inout [UInt8]) { box.attempt.append(to: &text) }

    /// Adds the id to the end of `text`, as JSON.
    package func appendID(to text: inout [UInt8]) { box.attempt.appendID(to: &text) }

    /// Whether two records are of equal attempts.
    public static func == (one: AttemptRecord, other: AttemptRecord) -> Bool { one.attempt == other.attempt }

    /// Hashes the attempt.
    public func hash(into hasher: inout Hasher) { hasher.combine(attempt) }
}
