// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// One worker's answer to a question of remote control.
public struct ControlReply: Sendable, Hashable {
    /// The worker's node name.
    public var node: String
    /// What it says: of most orders `{"ok": ...}` or `{"error": ...}`.
    public var answer: JSON

    /// Makes a reply.
    public init(node: String, answer: JSON) {
        self.node = node
        self.answer = answer
    }

    /// Why the worker did not do it, if it says so.
    public var error: String? {
        guard let members = answer.object, members.count == 1 else { return nil }
        return members["error"]?.string
    }

    /// Reads the replies of a message: as a rule one.
    package static func read(_ message: KombuMessage) -> [ControlReply] {
        (message.body.object ?? [:]).map { ControlReply(node: $0.key, answer: $0.value) }
    }

    /// The message in which it travels.
    package func encoded(for place: ControlRequest.ReplyPlace, clock: Int) -> [UInt8] {
        let body = JSON.object([node: answer]).encoded()
        return KombuMessage.encode(
            body, headers: ["ticket": place.ticket.map(JSON.string) ?? nil, "clock": .integer(clock)],
            exchange: place.exchange, routingKey: place.routingKey)
    }
}
