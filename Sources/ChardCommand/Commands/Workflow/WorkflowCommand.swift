// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// `workflow`: chains, groups and chords as wholes.
struct WorkflowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workflow", abstract: "Shows workflows, calls them off, or goes on from what failed.",
        discussion: """
            A workflow is known by the id of its first task or group, while it runs and for a day afterwards. Those that Python \
            has sent are not known, but can be cancelled.
            """,
        subcommands: [List.self, Show.self, Cancel.self, Retry.self, Signal.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Lists workflows, the newest first.")

        @Option(help: ArgumentHelp("No more than so many.", valueName: "number"), transform: OptionValues.count)
        var limit = 50

        @OptionGroup(title: "Common options")
        var common: CommonOptions

        func run() async throws {
            try await common.withSession { session in
                _ = try await session.reachedOperator()
                let reports = try await session.app.workflows(limit: limit)
                if session.isJSON {
                    return try session.output.answer(JSON.array(reports.map { $0.document(full: false) }))
                }
                guard !reports.isEmpty else { return session.output.talk("no workflows") }
                var table = Table("ID", "STATE", "TASKS", "SENT", "TOOK", "BEGINS WITH", rightAligned: [4])
                for report in reports {
                    table.add(
                        report.id, report.state.rawValue, "\(report.progress)", Words.time(report.sentAt),
                        report.took.map(Words.duration) ?? "-", report.tasks.first?.task ?? "-")
                }
                try session.output.answer(table.text)
                if reports.count == limit { session.output.talk("there may be more; see --limit") }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Shows a workflow as a tree of its tasks.",
            discussion: """
                How long a task took counts from when it could have begun, so waiting for a worker is part of it. With --watch, it is \
                shown again whenever it changes, until it is over: then the command ends with 1 if it has not succeeded. With --json \
                and --watch there is one document in a line for each change.
                """)

        @Argument(help: "The workflow's id.", transform: OptionValues.name)
        var id: String

        @Flag(help: "Shows it again whenever it changes, until it is over.")
        var watch = false

        @Flag(help: "Shows every member of large groups.")
        var all = false

        @OptionGroup(title: "Common options")
        var common: CommonOptions

        func run() async throws {
            try await common.withSession { session in
                _ = try await session.reachedOperator()
                var last: WorkflowReport?
                while true {
                    guard let report = try await session.app.workflow(id).report() else {
                        throw WorkflowCommand.missing(id)
                    }
                    if report != last {
                        if watch, last != nil, !session.isJSON {
                            session.output.talk(Self.isTerminal ? Self.clear : "")
                        }
                        try session.answer(
                            report.document(full: true), WorkflowTree(report, showsAll: all, now: Date()).text)
                    }
                    last = report
                    guard watch else { return }
                    if report.state.isOver {
                        if report.state != .succeeded { throw ExitCode(CommandStatus.failed.rawValue) }
                        return
                    }
                    try await Task.sleep(for: .milliseconds(500))
                }
            }
        }

        private static let isTerminal = isatty(1) == 1 && isatty(2) == 1
        /// To the upper left corner, and nothing below.
        private static let clear = "\u{1B}[H\u{1B}[J"
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "cancel", abstract: "Calls workflows off, for good.",
            discussion: """
                What waits will not run, nor what would be sent, for 30 days, also by workers that are down now; what runs is \
                cancelled. Whoever waits is told that it was revoked.
                """)

        @Argument(help: "The workflows' ids.", transform: OptionValues.name)
        var ids: [String]

        @Flag(help: "Lets what runs already run on.")
        var gently = false

        @OptionGroup(title: "Common options")
        var common: CommonOptions

        func run() async throws {
            try await common.withSession { session in
                _ = try await session.reachedOperator()
                for id in ids { try await session.app.workflow(id).cancel(terminating: !gently) }
                try session.answer(
                    ["cancelled": .array(ids.map(JSON.string))], "\(Words.count(ids.count, "workflow")) cancelled")
            }
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "retry", abstract: "Goes on with a workflow from what failed.",
            discussion: "What has succeeded does not run again.")

        @Argument(help: "The workflow's id.", transform: OptionValues.name)
        var id: String

        @OptionGroup(title: "Common options")
        var common: CommonOptions

        func run() async throws {
            try await common.withSession { session in
                _ = try await session.reachedOperator()
                guard try await session.app.workflow(id).report() != nil else { throw WorkflowCommand.missing(id) }
                let sent: [String]
                do {
                    sent = try await session.app.workflow(id).retry()
                } catch let error as AppError {
                    throw CommandError("\(error)")
                }
                try session.answer(
                    ["id": .string(id), "sent": .array(sent.map(JSON.string))],
                    sent.isEmpty ? "nothing of it has failed" : "\(Words.count(sent.count, "task")) sent again")
            }
        }
    }

    struct Signal: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "signal", abstract: "Gives a step of a flow the signal that it waits for.",
            discussion: "The first one counts. It may come before the step waits.")

        @Argument(help: "The workflow's id.", transform: OptionValues.name)
        var id: String

        @Argument(help: "The name of the signal.", transform: OptionValues.name)
        var name: String

        @Argument(help: "What comes with it, as JSON; null by default.", transform: OptionValues.json)
        var payload: JSON = .null

        @OptionGroup(title: "Common options")
        var common: CommonOptions

        func run() async throws {
            try await common.withSession { session in
                _ = try await session.reachedOperator()
                do {
                    try await session.app.workflow(id).signal(name, with: payload)
                } catch let error as AppError {
                    throw CommandError("\(error)")
                }
                try session.answer(
                    ["id": .string(id), "signal": .string(name)], "signal \(name.printable()) given")
            }
        }
    }

    static func missing(_ id: String) -> CommandError {
        CommandError(
            "nothing is known of a workflow \(id): it is over for more than a day, or Python has sent it; its id is that of its "
                + "first task or group, see 'workflow list'")
    }
}
