// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// A message as pages have it.
enum MessageDocument {
    static func make(_ peeked: PeekedMessage, place: Int? = nil, node: String? = nil, _ facts: Facts) -> JSON {
        let message = peeked.message
        let (id, task) = (message?.id ?? peeked.task.id, message?.task ?? peeked.task.name)
        return [
            "place": place.map { .integer($0 + 1) } ?? .null, "node": node.map(JSON.string) ?? .null,
            "id": id.map(JSON.string) ?? .null, "task": .string(task ?? "?"), "priority": .integer(peeked.priority),
            "sent_at": time(message?.sentAt),
            "arguments": .string(facts.showsArguments ? arguments(of: message, facts) : "hidden"),
            "size": peeked.excerptOf.map(JSON.integer) ?? .null,
        ]
    }

    /// `(2, 3)`, and behind it keywords, where there are some.
    private static func arguments(of message: TaskMessage?, _ facts: Facts) -> String {
        guard let message, let texts = facts.app.shownTexts(of: message) else { return "" }
        return texts.keywords == "{}" ? texts.positional : "\(texts.positional) \(texts.keywords)"
    }

    static func time(_ date: Date?) -> JSON { date.map { .string(Timestamp.text(for: $0)) } ?? .null }
}
