// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Which workers are meant, by their node names.
public enum WorkerChoice: Sendable, Hashable {
    /// All of them.
    case all
    /// Those of these names.
    case nodes([String])
    /// Those whose names match a pattern.
    case matching(String, Matcher)

    /// How a pattern is read.
    public enum Matcher: String, Sendable, Hashable, CaseIterable {
        /// `*` any run of characters, `?` one, `[ab]` one of these, `[!ab]` none of these.
        case glob
        /// A regular expression, which a name must begin with.
        case pcre
    }

    /// Reads it from a request's body.
    init(_ body: JSON) throws(MailboxError) {
        switch body["destination"] {
        case .array(let nodes) where !nodes.isEmpty:
            self = .nodes(nodes.compactMap(\.string))
            return
        case .string(let node) where !node.isEmpty:
            self = .nodes([node])
            return
        default: break
        }
        guard let pattern = body["pattern"]?.string, !pattern.isEmpty,
            let name = body["matcher"]?.string, !name.isEmpty
        else {
            self = .all
            return
        }
        guard let matcher = Matcher(rawValue: name) else {
            throw MailboxError("the matcher \(name.limited) is neither glob nor pcre")
        }
        self = .matching(pattern, matcher)
    }

    /// Whether the worker of this name is meant.
    public func includes(_ node: String) -> Bool {
        switch self {
        case .all: true
        case .nodes(let nodes): nodes.contains(node)
        case .matching(let pattern, .glob): GlobPattern(pattern).matches(node)
        case .matching(let pattern, .pcre):
            // What is no regular expression matches nothing.
            (try? Regex(pattern).prefixMatch(in: node)) != nil
        }
    }
}
