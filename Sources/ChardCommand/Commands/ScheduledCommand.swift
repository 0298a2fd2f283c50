// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import FoundationEssentials

/// `scheduled`: tasks that wait for their time.
struct ScheduledCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scheduled", abstract: "Shows tasks that wait for their time; cancels, moves or runs one.",
        subcommands: [List.self, Show.self, Cancel.self, Move.self, Run.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Lists what waits for its time, the earliest first.",
            discussion:
                "Retries and tasks with an ETA or countdown wait here. Periodic tasks are shown by 'beat --list'.")

        @Option(name: [.customShort("Q"), .long], help: "Only those of this queue.")
        var queue: String?

        @Option(help: ArgumentHelp("No more than so many.", valueName: "number"), transform: OptionValues.count)
        var limit = 50

        @OptionGroup(title: "Common options")
        var common: CommonOptions

        func run() async throws {
            try await common.withSession { session in
                let tasks = try await session.reachedOperator().delayedTasks.list(in: queue, limit: limit)
                if session.isJSON {
                    return try session.output.answer(JSON.array(tasks.map { $0.document(full: false) }))
                }
                guard !tasks.isEmpty else { return session.output.talk("nothing is scheduled") }
                var table = Table("ID", "TASK", "QUEUE", "DUE", "IN", rightAligned: [4])
                let now = Date()
                for task in tasks {
                    table.add(
                        task.name, task.message?.task ?? "-", task.queue, Words.time(task.dueAt),
                        Words.wait(until: task.dueAt, from: now))
                }
                try session.output.answer(table.text)
                if tasks.contains(where: { $0.isOverdue(at: now) }) {
                    session.output.talk(
                        "\(session.program): what is overdue waits for a Chard worker that serves its queue; 'workers' shows those"
                    )
                }
                if tasks.count == limit { session.output.talk("there may be more; see --limit") }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Shows a scheduled task with its raw message.")

        @Argument(help: "The task's id.")
        var id: String

        @OptionGroup(title: "Common options")
        var common: CommonOptions

        func run() async throws {
            try await common.withSession { session in
                guard let task = try await session.reachedOperator().delayedTasks.find(id) else {
                    throw ScheduledCommand.missing(id)
                }
                if session.isJSON { return try session.output.answer(task.document(full: true)) }
                var listing = Listing()
                listing.add("id", task.name)
                listing.add("task", task.message?.task)
                listing.add("queue", task.queue)
                listing.add("due", "\(Words.time(task.dueAt)), \(Words.wait(until: task.dueAt, from: Date()))")
                listing.add("retries", (task.message?.retries).flatMap { $0 > 0 ? "\($0)" : nil })
                listing.add("size", Words.count(task.payload.count, "byte"))
                let message = listing.add(messageOf: task.payload, session.app)
                try session.output.answer(listing.text + "\n\n  " + message.indented())
            }
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "cancel", abstract: "Deletes a scheduled task; its state is then REVOKED.")

        @Argument(help: "The task's id.")
        var id: String

        @OptionGroup(title: "Common options")
        var common: CommonOptions

        func run() async throws {
            try await common.withSession { session in
                guard try await session.reachedOperator().delayedTasks.cancel(id) else {
                    throw ScheduledCommand.missing(id)
                }
                try session.answer(["id": .string(id), "cancelled": true], "\(id.printable()) is cancelled")
            }
        }
    }

    struct Move: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "move", abstract: "Moves a scheduled task to another time.")

        @Argument(help: "The task's id.")
        var id: String

        @Option(
            help: ArgumentHelp("Runs it no sooner than at this time, in ISO 8601.", valueName: "time"),
            transform: OptionValues.time)
        var eta: Date?

        @Option(help: ArgumentHelp("Runs it no sooner than after so many seconds.", valueName: "seconds"))
        var countdown: Seconds?

        @OptionGroup(title: "Common options")
        var common: CommonOptions

        func validate() throws {
            guard (eta == nil) != (countdown == nil) else { throw ValidationError("Give --eta or --countdown.") }
        }

        func run() async throws {
            try await common.withSession { session in
                let date = eta ?? Date().addingTimeInterval(countdown?.duration.seconds ?? 0)
                guard try await session.reachedOperator().delayedTasks.move(id, to: date) else {
                    throw ScheduledCommand.missing(id)
                }
                try session.answer(
                    ["id": .string(id), "due": .string(Timestamp.text(for: date))],
                    "\(id.printable()) is due at \(Words.time(date))")
            }
        }
    }

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run", abstract: "Sends a scheduled task to the front of its queue now.")

        @Argument(help: "The task's id.")
        var id: String

        @OptionGroup(title: "Common options")
        var common: CommonOptions

        func run() async throws {
            try await common.withSession { session in
                guard try await session.reachedOperator().delayedTasks.runNow(id) else {
                    throw ScheduledCommand.missing(id)
                }
                try session.answer(["id": .string(id), "sent": true], "\(id.printable()) is sent")
            }
        }
    }

    private static func missing(_ id: String) -> CommandError {
        CommandError("no task \(id) waits for its time")
    }
}

extension DelayedTask {
    /// Whether it should have gone to its queue: a worker sees to that within moments, and the broker's clock may be another.
    func isOverdue(at now: Date) -> Bool { dueAt < now - 5 }

    /// The entry; the message itself only in full.
    func document(full: Bool) -> JSON {
        var document: JSON = [
            "id": .string(name), "task": message.map { .string($0.task) } ?? .null, "queue": .string(queue),
            "due": .string(Timestamp.text(for: dueAt)), "overdue": .bool(isOverdue(at: Date())),
            "priority": .integer(priority), "size": .integer(payload.count),
        ]
        if full {
            document["payload_text"] = String(validating: payload, as: UTF8.self).map(JSON.string) ?? .null
        }
        return document
    }
}
