// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The arguments of a message, as people may see them.
package struct ShownArguments: Sendable {
    /// The arguments, with `***` in the place of what nobody is to read.
    package var arguments: Arguments
    /// Whether nothing is hidden, neither in the arguments nor in what follows the task: then the message may be shown as it is.
    package var isWhole: Bool
}

extension Chard {
    /// So many bytes of arguments are read to be shown.
    package static let mostShownArguments = 1 << 20

    /// The arguments of a message without the values that ``Settings/redactedArguments`` names; `nil` where none may be shown, or the
    /// body cannot be read or is large.
    package func shownArguments(of message: TaskMessage) -> ShownArguments? {
        guard argumentTexts.isShown, let body = try? message.decodeBody(limits: Self.shownLimits),
            let arguments = try? Arguments(body)
        else { return nil }
        var shown = arguments
        let parameters = parameters(of: message.task)
        for (index, value) in arguments.positional.enumerated() {
            let isHidden = index < parameters.count && argumentTexts.hides(parameters[index].name)
            shown.positional[index] = isHidden ? "***" : argumentTexts.redacted(value)
        }
        shown.keywords = argumentTexts.redacted(.object(arguments.keywords)).object ?? [:]
        let embed = body.embed
        let followers = embed.callbacks + embed.errbacks + embed.chain + [embed.chord].compactMap(\.self)
        let isWhole =
            shown == arguments
            && followers.allSatisfy { text in
                (try? JSON(parsing: Array(text), limits: .held)).map { argumentTexts.redacted($0) == $0 } ?? false
            }
        return ShownArguments(arguments: shown, isWhole: isWhole)
    }

    /// The arguments of a message in a line, positional and by keyword, as `argsrepr` and `kwargsrepr` have them; `nil` where none may be
    /// shown, or the body cannot be read or is large. What its sender has written there is not shown: it may hide less than this app.
    package func shownTexts(of message: TaskMessage) -> (positional: String, keywords: String)? {
        guard argumentTexts.isShown, let body = try? message.decodeBody(limits: Self.shownLimits),
            let positional = argumentTexts.positional(body, of: parameters(of: message.task)),
            let keywords = argumentTexts.keywords(body)
        else { return nil }
        return (positional, keywords)
    }

    /// Arguments that somebody has edited who saw those of a message with `***` in them: where that still stands, what stood there.
    package func unhidden(_ edited: Arguments, of message: TaskMessage) -> Arguments {
        guard let body = try? message.decodeBody(limits: Self.shownLimits), let first = try? Arguments(body) else {
            return edited
        }
        var arguments = edited
        let parameters = parameters(of: message.task)
        for (index, value) in edited.positional.enumerated() where index < first.positional.count {
            let isHidden = index < parameters.count && argumentTexts.hides(parameters[index].name)
            arguments.positional[index] =
                isHidden && value == "***"
                ? first.positional[index] : argumentTexts.unhidden(value, from: first.positional[index])
        }
        arguments.keywords =
            argumentTexts.unhidden(.object(edited.keywords), from: .object(first.keywords)).object ?? edited.keywords
        return arguments
    }

    private static let shownLimits = MessageLimits(
        messageBytes: .max, bodyBytes: mostShownArguments, depth: JSONLimits.held.depth)
}

extension ArgumentTexts {
    /// A value with what was hidden in it.
    fileprivate func unhidden(_ value: JSON, from first: JSON?) -> JSON {
        switch value {
        case .object(let members):
            .object(
                Dictionary(
                    uniqueKeysWithValues: members.map { name, value in
                        hides(name) && value == "***"
                            ? (name, first?[name] ?? value) : (name, unhidden(value, from: first?[name]))
                    }))
        case .array(let elements):
            .array(elements.enumerated().map { unhidden($1, from: first?[$0]) })
        default: value
        }
    }
}
