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

    /// Makes a record of what a message has come to, without an attempt in between: it would count a reference to each of its texts,
    /// some of which all of a worker's threads share.
    init(
        of message: TaskMessage, on queue: String, by node: String, end: Attempt.End, startedAt: Date?, endedAt: Date,
        error: String?
    ) {
        id = message.id
        isGood = end.isGood
        self.endedAt = endedAt
        var text = AttemptText(end, at: endedAt)
        text.add(#","t":"#, message.task)
        text.add(#","q":"#, queue)
        text.add(#","n":"#, node)
        text.add(#","b":"#, startedAt?.milliseconds)
        if message.retries > 0 { text.add(#","r":"#, message.retries + 1) }
        if message.losses > 0 { text.add(#","l":"#, message.losses) }
        text.add(#","m":"#, message.sentAt.map { $0.milliseconds / 1000 })
        text.add(#","d":"#, message.eta?.milliseconds)
        text.add(#","o":"#, message.origin)
        text.add(#","p":"#, message.parentID)
        if message.rootID != message.id { text.add(#","w":"#, message.rootID) }
        text.add(#","g":"#, message.group)
        text.add(#","x":"#, error, upTo: Attempt.mostError)
        json = text.end()
    }

    /// The attempt; `nil` if what is stored is something else.
    public var attempt: Attempt? { Attempt(id: id, stored: json) }
}
