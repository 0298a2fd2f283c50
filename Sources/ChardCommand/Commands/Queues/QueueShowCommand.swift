// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import FoundationEssentials

/// `queues show QUEUE`: the messages that wait, or that workers hold.
struct QueueShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Lists the messages that wait in a queue, the next one first.",
        discussion: """
            Nothing is taken. With --leased, those that workers hold instead. With --json one object a line; --from is for the \
            next page.
            """)

    @Argument(help: "The queue.", transform: OptionValues.name)
    var queue: String

    @Flag(help: "What workers hold.")
    var leased = false

    @Option(help: ArgumentHelp("How many to pass over.", valueName: "number"))
    var from: Int = 0

    @Option(help: ArgumentHelp("How many at most; by default, 50.", valueName: "number"), transform: OptionValues.count)
    var limit: Int = 50

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        try await common.withSession { session in
            guard from >= 0 else { throw CommandError("--from must not be negative", status: .misused) }
            let it = try await session.reachedOperator()
            let nodes =
                leased
                ? Dictionary((try await it.workers()).map { ($0.identity, $0.node) }, uniquingKeysWith: { $1 }) : [:]
            let messages =
                leased
                ? Array(try await it.queues.leased(in: queue, limit: from + limit).dropFirst(from))
                : try await it.queues.waiting(in: queue, from: from, limit: limit)
            if session.isJSON {
                for (index, message) in messages.enumerated() {
                    try session.output.answer(message.document(at: from + index, nodes, of: session.app))
                }
                return
            }
            guard !messages.isEmpty else {
                return session.output.talk(
                    leased
                        ? "no worker holds anything of \(queue.printable())"
                        : from == 0 ? "nothing waits in \(queue.printable())" : "there is no more")
            }
            var table = Table(
                "PLACE", "ID", "TASK", "ATTEMPT", "SENT", "SIZE", "PRIORITY", "HOLDER", rightAligned: [0, 3, 5, 6])
            for (index, peeked) in messages.enumerated() {
                let sent = peeked.message?.sentAt
                table.add(
                    "\(from + index)", peeked.task.id ?? "?", peeked.task.name ?? "?",
                    peeked.message.map { "\($0.retries + 1)" } ?? "-", sent.map(Words.time) ?? "-", "\(peeked.size)",
                    "\(peeked.priority)", peeked.holder.map { nodes[$0] ?? $0 } ?? "-")
            }
            try session.output.answer(table.text)
        }
    }
}

extension PeekedMessage {
    fileprivate func document(at place: Int, _ nodes: [String: String], of app: Chard) -> JSON {
        func text(_ value: String?) -> JSON { value.map(JSON.string) ?? .null }
        let arguments = message.flatMap { app.shownTexts(of: $0) }
        return [
            "queue": .string(queue), "place": .integer(place), "id": text(task.id), "task": text(task.name),
            "priority": .integer(priority), "size": .integer(size),
            "attempt": message.map { .integer($0.retries + 1) } ?? .null,
            "losses": message.map { .integer($0.losses) } ?? .null, "args": text(arguments?.positional),
            "kwargs": text(arguments?.keywords), "origin": text(message?.origin),
            "parent_id": text(message?.parentID),
            "sent_at": message?.sentAt.map { .integer(Int($0.timeIntervalSince1970)) } ?? .null, "holder": text(holder),
            "node": text(holder.flatMap { nodes[$0] }),
        ]
    }
}
