// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// A method of Celery's remote control, and what its arguments are called: words of a command line become these.
struct RemoteMethod: Sendable {
    enum Kind: Sendable {
        case text, number, flag
        /// All words that are left.
        case rest
    }

    let name: String
    let parameters: [(name: String, kind: Kind)]
    /// How many words there must be.
    let required: Int
    let answersNothing: Bool

    private init(
        _ name: String, _ parameters: [(String, Kind)] = [], required: Int = 0, answersNothing: Bool = false
    ) {
        self.name = name
        self.parameters = parameters.map { (name: $0.0, kind: $0.1) }
        self.required = required
        self.answersNothing = answersNothing
    }

    static let inspecting: [RemoteMethod] = [
        RemoteMethod("ping"), RemoteMethod("active", [("safe", .flag)]), RemoteMethod("reserved"),
        RemoteMethod("scheduled"), RemoteMethod("revoked"), RemoteMethod("registered", [("taskinfoitems", .rest)]),
        RemoteMethod("stats"), RemoteMethod("active_queues"), RemoteMethod("report"),
        RemoteMethod("conf", [("with_defaults", .flag)]), RemoteMethod("clock"),
        RemoteMethod("query_task", [("ids", .rest)], required: 1),
    ]

    static let controlling: [RemoteMethod] = [
        RemoteMethod("revoke", [("task_id", .rest)], required: 1),
        RemoteMethod("terminate", [("signal", .text), ("task_id", .rest)], required: 2),
        RemoteMethod("revoke_by_stamped_headers", [("headers", .rest)], required: 1),
        RemoteMethod("rate_limit", [("task_name", .text), ("rate_limit", .text)], required: 2),
        RemoteMethod("time_limit", [("task_name", .text), ("soft", .number), ("hard", .number)], required: 2),
        RemoteMethod("pool_grow", [("n", .number)]), RemoteMethod("pool_shrink", [("n", .number)]),
        RemoteMethod("autoscale", [("max", .number), ("min", .number)], required: 1),
        RemoteMethod(
            "add_consumer",
            [("queue", .text), ("exchange", .text), ("exchange_type", .text), ("routing_key", .text)], required: 1),
        RemoteMethod("cancel_consumer", [("queue", .text)], required: 1), RemoteMethod("enable_events"),
        RemoteMethod("disable_events"), RemoteMethod("heartbeat", answersNothing: true),
        RemoteMethod("shutdown", answersNothing: true), RemoteMethod("pool_restart"),
    ]

    /// The arguments that the words of a command line stand for.
    func arguments(_ words: [String]) throws(CommandError) -> [String: JSON] {
        let usage = "\(name) \(parameters.map { $0.kind == .rest ? "\($0.name)..." : $0.name }.joined(separator: " "))"
        guard words.count >= required else { throw CommandError("it takes: \(usage)", status: .misused) }
        var rest = words[...]
        var arguments: [String: JSON] = [:]
        for (parameter, kind) in parameters where !rest.isEmpty {
            if kind == .rest {
                arguments[parameter] = .array(rest.map(JSON.string))
                return arguments
            }
            let word = rest.removeFirst()
            switch kind {
            case .number:
                guard let number = Int(word).map(JSON.integer) ?? Double(word).map(JSON.number) else {
                    throw CommandError("\(parameter) is no number: \"\(word)\"; it takes: \(usage)", status: .misused)
                }
                arguments[parameter] = number
            case .flag: arguments[parameter] = .bool(["1", "true", "yes", "on"].contains(word.lowercased()))
            case .text, .rest: arguments[parameter] = .string(word)
            }
        }
        guard rest.isEmpty else {
            throw CommandError("too much: \"\(rest.joined(separator: " "))\"; it takes: \(usage)", status: .misused)
        }
        return arguments
    }
}
