// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// `queues`: what is in every queue.
struct QueuesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queues", abstract: "Shows what is in every queue; pauses, resumes or empties one.",
        subcommands: [List.self, PauseCommand.self, ResumeCommand.self, PurgeCommand.self], defaultSubcommand: List.self
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Shows what is in every queue.",
            discussion: """
                waiting: for a worker; scheduled: for their time; leased: held by a worker; dead: could not be run; \
                oldest: how long the next message has existed, where it says so.
                """)

        @OptionGroup(title: "Common options")
        var common: CommonOptions

        func run() async throws {
            try await common.withSession { session in
                let queues = try await session.inspectableBroker().queues()
                if session.isJSON { return try session.output.answer(JSON.array(queues.map(\.document))) }
                guard !queues.isEmpty else {
                    return session.output.talk(
                        "no queue is known yet; send a task with '\(session.program) send NAME'")
                }
                var table = Table(
                    "QUEUE", "WAITING", "SCHEDULED", "LEASED", "DEAD", "OLDEST", rightAligned: [1, 2, 3, 4, 5])
                for queue in queues {
                    table.add(
                        queue.queue + (queue.isPaused ? " (paused)" : ""), "\(queue.waiting)", "\(queue.scheduled)",
                        "\(queue.leased)", "\(queue.dead)",
                        queue.oldestWait.map(Words.duration) ?? "-")
                }
                try session.output.answer(table.text)
                for (queue, trouble) in queues.compactMap({ queue in queue.trouble.map { (queue.queue, $0) } }) {
                    session.output.talk("\(queue.printable()) cannot be used: \(trouble.printable())")
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
            let count = try await session.inspectableBroker().purge(queue, scheduled: scheduled)
            if session.isJSON {
                try session.output.answer(["queue": .string(queue), "deleted": .integer(count)])
            } else {
                try session.output.answer("\(Words.count(count, "message")) deleted from \(queue.printable())")
            }
        }
    }
}

extension QueueReport {
    var document: JSON {
        [
            "queue": .string(queue), "waiting": .integer(waiting), "scheduled": .integer(scheduled),
            "leased": .integer(leased), "dead": .integer(dead), "paused": .bool(isPaused),
            "oldest_wait": oldestWait.map(JSON.number) ?? .null, "trouble": trouble.map(JSON.string) ?? .null,
        ]
    }
}
