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

    /// Why there is no result, as far as that can be seen.
    private func reason(_ session: Session) async -> String {
        let unknown = "the task was never sent, ignores its result, or its result has expired"
        guard let record = try? await session.reachedOperator().find(id) else { return unknown }
        switch record.place {
        case .waiting(let queue, let ahead):
            return "the task waits in \(queue), \(ahead == 0 ? "next" : "behind \(Words.count(ahead, "other"))")"
        case .delayed(let queue, let until): return "the task waits for its time, \(Words.time(until)), for \(queue)"
        case .leased(let queue, let holder, let worker, let since):
            let node = worker?.node ?? holder
            return since == nil ? "\(node) has taken the task from \(queue)" : "the task runs on \(node)"
        case .dead(let letter):
            return "the task is a dead letter (\(letter.reason.rawValue)); see 'dead show \(letter.id)'"
        case .gone:
            guard let last = record.attempts.last else { return unknown }
            return "the task ended (\(last.end)), and no result is kept of it"
        }
    }

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
                throw CommandError("nothing is stored under \(id): \(await reason(session))")
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
        return listing.text + "\n\n  " + traceback.printable(keepingNewlines: true).indented()
    }
}
