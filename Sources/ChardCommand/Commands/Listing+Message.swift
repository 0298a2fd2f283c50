// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension Listing {
    /// Adds the arguments of a message, as far as people may see them. Returns the message as it is, to stand below; where something
    /// of it is hidden, what to do about that: what a sender has written for people, too, may hide less than this program.
    mutating func add(messageOf payload: [UInt8], _ app: Chard) -> String {
        let raw = String(decoding: payload, as: UTF8.self).printable(keepingNewlines: true)
        // What cannot be read, or is large, has no names in it by which something could be hidden.
        guard let message = try? TaskMessage(decoding: payload, limits: .held) else { return raw }
        guard app.settings.describesArguments else {
            return "The message is not shown: Settings.describesArguments says so. --json has it."
        }
        guard let shown = app.shownArguments(of: message), let texts = app.shownTexts(of: message) else { return raw }
        add("args", texts.positional)
        add("kwargs", texts.keywords)
        guard shown.isWhole else {
            return "The message is not shown: it has what Settings.redactedArguments names. --json has it."
        }
        return raw
    }
}
