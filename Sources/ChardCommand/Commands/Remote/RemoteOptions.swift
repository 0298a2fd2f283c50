// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// What `inspect` and `control` have in common: a method with its arguments, and the workers that are meant.
struct RemoteOptions: ParsableArguments {
    @Argument(help: "The method, by Celery's name.", transform: OptionValues.name)
    var method: String

    @Argument(help: "Its arguments.")
    var words: [String] = []

    @Option(
        name: [.customShort("d"), .long],
        help: ArgumentHelp("Only these workers, with commas between.", valueName: "nodes"),
        transform: OptionValues.list)
    var destination: String?

    @Option(help: "Only workers whose names match: * any run of characters, ? one, [ab] one of these.")
    var pattern: String?

    @Option(help: "How the pattern is read: glob, or pcre for a regular expression.")
    var matcher: WorkerChoice.Matcher = .glob

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "How long to wait for answers; where workers are named, no longer than until all have answered.",
            valueName: "seconds"))
    var timeout: Seconds?

    @Option(
        help: ArgumentHelp("Further arguments by their names, as a JSON object.", valueName: "json"),
        transform: OptionValues.object)
    var arguments: [String: JSON] = [:]

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run(among methods: [RemoteMethod]) async throws {
        let known = methods.first { $0.name == method }
        let arguments: [String: JSON]
        if let known {
            arguments = try known.arguments(words).merging(self.arguments) { $1 }
        } else {
            // Python's workers may have methods of their own, whose arguments have names that only they know.
            guard words.isEmpty, !self.arguments.isEmpty else {
                throw CommandError(
                    "unknown method \"\(method)\"\(Suggestion.hint(for: method, among: methods.map(\.name))); one of a Python "
                        + "worker's own takes its arguments from --arguments",
                    status: .misused)
            }
            arguments = self.arguments
        }
        let workers = try choice
        try await common.withSession { session in
            let remote = try await session.reachedOperator().remote
            guard known?.answersNothing != true else {
                return try await tell(arguments, workers, remote, session)
            }
            let replies = try await remote.ask(method, arguments, of: workers, for: patience)
            if session.isJSON {
                try session.output.answer(
                    JSON.object(Dictionary(replies.map { ($0.node, $0.answer) }) { $1 }))
            } else if !replies.isEmpty {
                try session.output.answer(RemoteAnswers.text(replies))
            }
            guard !replies.isEmpty else {
                throw CommandError(
                    "no worker has answered within \(Words.duration(patience.seconds)); asked: \(workers.words)",
                    status: .timedOut)
            }
            let missing = workers.missing(among: replies)
            if !missing.isEmpty {
                throw CommandError("no answer from \(missing.joined(separator: ", "))", status: .timedOut)
            }
            if replies.contains(where: { $0.error != nil }) {
                throw CommandError("not every worker has done it", status: .failed)
            }
        }
    }

    private var patience: Duration { timeout?.duration ?? .seconds(1) }

    /// Tells workers something that they do not answer. Whether they are there is asked before: what nobody hears is lost.
    private func tell(
        _ arguments: [String: JSON], _ workers: WorkerChoice, _ remote: Operator.Remote, _ session: Session
    ) async throws {
        let there = try await remote.ask("ping", of: workers, for: patience)
        if !there.isEmpty { try await remote.tell(method, arguments, of: workers) }
        let nodes = there.map(\.node)
        if session.isJSON {
            try session.output.answer(["told": .string(method), "nodes": .array(nodes.map(JSON.string))] as JSON)
        } else if !nodes.isEmpty {
            try session.output.answer("told \(nodes.joined(separator: ", ").printable()) to \(method)")
        }
        let missing = workers.missing(among: there)
        if nodes.isEmpty || !missing.isEmpty {
            let who = missing.isEmpty ? workers.words : missing.joined(separator: ", ")
            throw CommandError("nobody listens as \(who), so that \(method) was not heard there", status: .timedOut)
        }
    }

    private var choice: WorkerChoice {
        get throws(CommandError) {
            switch (destination, pattern) {
            case (nil, nil): return .all
            case (let nodes?, nil): return .nodes(NameList.names(in: [nodes]))
            case (nil, let pattern?): return .matching(pattern, matcher)
            case (.some, .some):
                throw CommandError("--destination or --pattern, not both", status: .misused)
            }
        }
    }
}

extension WorkerChoice.Matcher: ExpressibleByArgument {}

extension WorkerChoice {
    /// Who is meant, in words.
    fileprivate var words: String {
        switch self {
        case .all: "all workers"
        case .nodes(let nodes): nodes.joined(separator: ", ")
        case .matching(let pattern, _): "workers like \(pattern)"
        }
    }

    fileprivate func missing(among replies: [ControlReply]) -> [String] {
        guard case .nodes(let nodes) = self else { return [] }
        return nodes.filter { node in !replies.contains { $0.node == node } }
    }
}
