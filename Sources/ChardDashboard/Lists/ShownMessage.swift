// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// What may be shown of a message: its arguments without what is to be hidden, and it itself where nothing is.
struct ShownMessage {
    /// The members of a page's document; all null where nothing may be shown.
    private(set) var members: [String: JSON] = [
        "arguments": .null, "keywords": .null, "message": .null, "body": .null, "hidden": .null, "edit": .null,
    ]

    /// Longer arguments are not given to anybody to edit.
    private static let mostEdited = 64 << 10

    /// - Parameter payload: The message as it lies in the broker, where that is at hand.
    init(_ message: TaskMessage?, payload: [UInt8]? = nil, _ facts: Facts) { fill(message, payload, facts) }

    private mutating func fill(_ message: TaskMessage?, _ payload: [UInt8]?, _ facts: Facts) {
        guard facts.showsArguments else {
            return hide("Arguments and results are not shown: the dashboard is set up so.")
        }
        guard let message else {
            guard let payload else { return }
            // What cannot be read has no names in it by which something could be hidden.
            members["message"] = RawBytes.document(payload)
            return
        }
        guard facts.app.settings.describesArguments else {
            return hide("Arguments are not shown: Settings.describesArguments says so.")
        }
        guard let shown = facts.app.shownArguments(of: message) else {
            // The body cannot be read, or is large: either way nobody can tell what is in it.
            members["message"] = RawBytes.document(payload ?? message.encoded())
            return
        }
        members["arguments"] = .array(shown.arguments.positional)
        members["keywords"] = .object(shown.arguments.keywords)
        let texts = [JSON.array(shown.arguments.positional), .object(shown.arguments.keywords)].map(PrettyJSON.text)
        if texts.allSatisfy({ $0.utf8.count <= Self.mostEdited }) {
            members["edit"] = ["arguments": .string(texts[0]), "keywords": .string(texts[1])]
        }
        guard shown.isWhole else {
            return hide("What Settings.redactedArguments names is hidden, so that the raw message is not shown.")
        }
        members["message"] = RawBytes.document(payload ?? message.encoded())
        if let body = try? message.decodeBody() { members["body"] = RawBytes.document(body.encoded()) }
    }

    private mutating func hide(_ why: String) { members["hidden"] = .string(why) }
}
