// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import FoundationEssentials

/// `result ID`: status and result of one task.
struct ResultCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "result", abstract: "Shows a task's status and result.",
        discussion: """
            Ends with 1 if the task failed or nothing is stored of it, with 3 if there was no result in time. With --json, \
            the fields are those that Celery stores.
            """)

    @Argument(help: "The task's id.", transform: OptionValues.name)
    var id: String

    @Option(
        help: ArgumentHelp(
            "Waits until the task is over; with a number, no longer than so many seconds.", valueName: "seconds"))
    var wait: WaitLimit?

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        try await common.withSession { session in
            let store = try await session.results()
            let status: TaskStatus?
            if let wait {
                status = try await session.app.result(of: id).finalStatus(timeout: wait.duration)
            } else {
                status = try await store.status(of: id)
            }
            let shown = status ?? TaskStatus(id: id, state: .pending)
            if session.isJSON {
                try session.output.answer(try JSON(parsing: shown.encoded(), limits: JSONLimits(bytes: .max)))
            } else {
                try session.output.answer(shown.listing)
            }
            if status == nil {
                throw CommandError(
                    "nothing is stored under \(id): the task waits, was never sent, ignores its result, or its result has "
                        + "expired")
            }
            if shown.failure != nil { throw ExitCode(CommandStatus.failed.rawValue) }
        }
    }
}

extension TaskStatus {
    /// The status for people.
    var listing: String {
        var listing = Listing()
        listing.add("id", id)
        listing.add("task", extra["name"]?.string)
        listing.add("state", state.rawValue)
        if let exception {
            listing.add("error", "\(exception)")
        } else if state != .pending {
            listing.add("result", String(decoding: resultText, as: UTF8.self))
        }
        listing.add("done", dateDone.map(Words.time))
        guard let traceback, !traceback.isEmpty else { return listing.text }
        return listing.text + "\n\n" + traceback.printable(keepingNewlines: true)
    }
}
