// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// `queues`: what is in every queue.
struct QueuesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queues", abstract: "Shows what is in every queue; pauses, resumes or empties one.",
        subcommands: [List.self, QueueShowCommand.self, PauseCommand.self, ResumeCommand.self, PurgeCommand.self],
        defaultSubcommand: List.self
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Shows what is in every queue.",
            discussion: """
                waiting: for a worker; scheduled: for their time; leased: held by a worker; dead: could not be run; \
                oldest: how long the next message has existed, where it says so; state: whether it is paused, and whether a \
                worker of Chard serves it (Python's do not show here).
                """)

        @OptionGroup(title: "Common options")
        var common: CommonOptions

        func run() async throws {
            try await common.withSession { session in
                let it = try await session.reachedOperator()
                let queues = try await it.queues.reports()
                // Who may not ask for the workers, or whose broker has none, is told the rest.
                let served = (try? await it.workers()).map { Set($0.flatMap(\.queues)) }
                if session.isJSON {
                    return try session.output.answer(JSON.array(queues.map { $0.document(servedIn: served) }))
                }
                guard !queues.isEmpty else {
                    return session.output.talk(
                        "no queue is known yet; send a task with '\(session.program) send NAME'")
                }
                var table = Table(
                    "QUEUE", "WAITING", "SCHEDULED", "LEASED", "DEAD", "OLDEST", "STATE",
                    rightAligned: [1, 2, 3, 4, 5])
                for queue in queues {
                    table.add(
                        queue.queue, "\(queue.waiting)", "\(queue.delayed)", "\(queue.leased)", "\(queue.dead)",
                        queue.oldestWait.map(Words.duration) ?? "-", queue.stateWords(servedIn: served))
                }
                try session.output.answer(table.text)
                for (queue, trouble) in queues.compactMap({ queue in queue.trouble.map { (queue.queue, $0) } }) {
                    session.output.talk("\(queue.printable()) cannot be used: \(trouble.printable())")
                }
                for unread in queues.flatMap(\.unread) {
                    session.output.talk(
                        "nobody reads \(unread.list.printable()), where \(Words.count(unread.count, "message")) \(unread.count == 1 ? "waits" : "wait"): see 'doctor'"
                    )
                }
            }
        }
    }
}

/// `queues purge QUEUE` and `purge QUEUE`: deletes what waits.
struct PurgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge", abstract: "Deletes the messages that wait in a queue.",
        discussion: "Messages that a worker holds stay, and so do dead letters.")

    @Argument(help: "The queue.", transform: OptionValues.name)
    var queue: String

    @Flag(help: "Yes, delete them.")
    var yes = false

    @Flag(help: "Also those whose time has not come.")
    var scheduled = false

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        try await common.withSession { session in
            guard yes else {
                throw CommandError(
                    "this deletes what waits in \(queue), for good; say --yes if that is meant", status: .misused)
            }
            let count = try await session.reachedOperator().queues.purge(queue, delayed: scheduled)
            if session.isJSON {
                try session.output.answer(["queue": .string(queue), "deleted": .integer(count)])
            } else {
                try session.output.answer("\(Words.count(count, "message")) deleted from \(queue.printable())")
            }
        }
    }
}

extension QueueReport {
    /// What keeps its messages from being taken, as far as that is known.
    fileprivate func stateWords(servedIn served: Set<String>?) -> String {
        var words: [String] = []
        if isPaused { words.append("paused") }
        if served?.contains(queue) == false { words.append("nobody serves it") }
        return words.isEmpty ? "-" : words.joined(separator: ", ")
    }

    /// - Parameter served: The queues that a worker serves, where that is known.
    func document(servedIn served: Set<String>?) -> JSON {
        [
            "served": served.map { .bool($0.contains(queue)) } ?? .null,
            "queue": .string(queue), "waiting": .integer(waiting), "scheduled": .integer(delayed),
            "leased": .integer(leased), "dead": .integer(dead), "paused": .bool(isPaused),
            "oldest_wait": oldestWait.map(JSON.number) ?? .null, "trouble": trouble.map(JSON.string) ?? .null,
            "unread": .array(unread.map { ["list": .string($0.list), "count": .integer($0.count)] }),
        ]
    }
}
