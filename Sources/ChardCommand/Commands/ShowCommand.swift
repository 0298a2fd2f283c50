// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import FoundationEssentials

/// `show ID`: what is known of one task.
struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows where a task is, whence it came, and every attempt at it.",
        discussion: """
            Attempts are remembered for a day, unless CHARD_HISTORY_HOURS says otherwise. Ends with 1 where nothing is known of \
            the task: it was never sent, or is forgotten.
            """)

    @Argument(help: "The task's id.", transform: OptionValues.name)
    var id: String

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        try await common.withSession { session in
            guard let record = try await session.reachedOperator().find(id) else {
                throw CommandError(
                    "nothing is known of \(id.printable()): it was never sent, or is forgotten; '\(session.program) why' "
                        + "says more")
            }
            if session.isJSON { return try session.output.answer(record.document) }
            try session.output.answer(record.listing(now: session.app.settings.now()))
        }
    }
}

/// `why ID`: why a task is not running.
struct WhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Says why a task is not running.",
        discussion:
            "The first cause that keeps it from running, and what to do about it. Ends with 1 if no such task is known."
    )

    @Argument(help: "The task's id.", transform: OptionValues.name)
    var id: String

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        try await common.withSession { session in
            let explanation = try await session.reachedOperator().why(id)
            if session.isJSON {
                try session.output.answer([
                    "id": .string(id), "cause": .string(explanation.cause), "text": .string(explanation.text),
                    "advice": explanation.advice.map(JSON.string) ?? .null,
                ])
            } else {
                try session.output.answer(explanation.text.printable())
                if let advice = explanation.advice { try session.output.answer(advice.printable()) }
            }
            if explanation.cause == "unknown" { throw ExitCode(CommandStatus.failed.rawValue) }
        }
    }
}

extension TaskRecord {
    /// The record for people.
    func listing(now: Date) -> String {
        var listing = Listing()
        func ago(_ date: Date) -> String { "\(Words.time(date)), \(Words.duration(now.timeIntervalSince(date))) ago" }
        listing.add("id", id)
        listing.add("task", task)
        listing.add("now", placeWords(now: now))
        listing.add("sent", sentAt.map(ago))
        listing.add("origin", origin)
        listing.add("parent", parentID)
        listing.add("root", rootID)
        listing.add("group", groupID)
        if let status, status.state == .progress {
            listing.add("progress", status.result.description.shortened(to: 500))
        }
        if let status, status.state == .success {
            listing.add("result", String(decoding: status.resultText, as: UTF8.self).shortened(to: 500))
        } else if let exception = status?.exception {
            listing.add("error", "\(exception)".shortened(to: 500))
        }
        if losses > 0 { listing.add("losses", "\(losses)") }
        guard !attempts.isEmpty else { return listing.text }
        var table = Table("ATTEMPT", "ENDED", "NODE", "TOOK", "END", "ERROR", rightAligned: [0, 3])
        for attempt in attempts {
            table.add(
                "\(attempt.number)", Words.time(attempt.endedAt), attempt.node, attempt.duration?.wording ?? "-",
                attempt.end.rawValue, attempt.error ?? "-")
        }
        return listing.text + "\n\n" + table.text
    }

    private func placeWords(now: Date) -> String {
        switch place {
        case .waiting(let queue, let ahead):
            return ahead == 0
                ? "waiting in \(queue), next" : "waiting in \(queue), behind \(Words.count(ahead, "other"))"
        case .delayed(let queue, let until):
            return "delayed for \(queue) until \(Words.time(until)) (\(Words.wait(until: until, from: now)))"
        case .leased(let queue, let holder, let worker, let since):
            let who = worker?.node ?? "\(holder), which is gone"
            guard let since else { return "with \(who), from \(queue), not started yet" }
            return "running on \(who), from \(queue), since \(Words.duration(now.timeIntervalSince(since)))"
        case .dead(let letter): return "dead letter of \(letter.queue): \(letter.reason.rawValue), \(letter.error)"
        case .gone: return state
        }
    }
}
