// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import FoundationEssentials

/// `list`: the attempts that are over.
struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists what tasks have come to, the newest first.",
        discussion: """
            Each line is one attempt that is over, of the last day. States: succeeded, failed, retried, revoked, lost, \
            handed-back, rejected, ignored, replaced, requeued. With --json one object a line. What waits is shown by \
            'queues show', what runs by 'workers'.
            """)

    @Option(
        help: ArgumentHelp("How it ended: failed, retried, ..., with commas between.", valueName: "states"),
        transform: Self.ends)
    var state: [Attempt.End] = []

    @Option(help: ArgumentHelp("The task's name; * stands for any text.", valueName: "pattern"))
    var task: String?

    @Option(name: .shortAndLong, help: ArgumentHelp("The queue.", valueName: "name"))
    var queue: String?

    @Option(help: ArgumentHelp("What the error contains.", valueName: "text"))
    var error: String?

    @Option(
        help: ArgumentHelp("No older than this: 90, 90s, 15m, 1h, 1d.", valueName: "time"), transform: Self.span)
    var since: Double?

    @Option(help: ArgumentHelp("How many at most; by default, 50.", valueName: "number"), transform: OptionValues.count)
    var limit: Int = 50

    @Flag(help: "Goes on with what ends from now on, the oldest first.")
    var follow = false

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        try await common.withSession { session in
            let it = try await session.reachedOperator()
            let now = session.app.settings.now()
            let first = try await find(it, since: since.map { now.addingTimeInterval(-$0) } ?? .distantPast, limit)
            if session.isJSON {
                for attempt in follow ? first.reversed() : first { try session.output.answer(attempt.document) }
            } else if follow {
                for attempt in first.reversed() { try session.output.answer(attempt.line) }
            } else if first.isEmpty {
                session.output.talk("nothing of that kind has ended")
            } else {
                var table = Table("ENDED", "END", "TASK", "ID", "QUEUE", "NODE", "TOOK", "ERROR", rightAligned: [6])
                for attempt in first {
                    table.add(
                        Words.time(attempt.endedAt), attempt.end.rawValue, attempt.task, attempt.id, attempt.queue,
                        attempt.node, attempt.duration?.wording ?? "-", attempt.error ?? "-")
                }
                try session.output.answer(table.text)
            }
            if follow { try await goOn(it, session, after: first) }
        }
    }

    /// Shows what comes, looking every second. What is told late by a slow worker is not missed, and nothing is shown twice.
    private func goOn(_ it: Operator, _ session: Session, after first: [Attempt]) async throws {
        let overlap = 10.0
        var shown = Set(first)
        var latest = first.first?.endedAt ?? session.app.settings.now()
        while !Task.isCancelled {
            try await Task.sleep(for: .seconds(1))
            let since = latest.addingTimeInterval(-overlap)
            let found = try await find(it, since: max(since, first.first?.endedAt ?? since), 10_000)
            for attempt in found.reversed() where shown.insert(attempt).inserted {
                try session.isJSON ? session.output.answer(attempt.document) : session.output.answer(attempt.line)
                latest = max(latest, attempt.endedAt)
            }
            shown = shown.filter { $0.endedAt >= since }
        }
    }

    private func find(_ it: Operator, since: Date, _ limit: Int) async throws -> [Attempt] {
        try await it.attempts(
            ended: Set(state), task: task, queue: queue, error: error, since: since, limit: limit)
    }

    private static let words: [String: Attempt.End] = [
        "succeeded": .success, "failed": .failure, "retried": .retry, "revoked": .revoked, "lost": .lost,
        "handed-back": .handedBack, "rejected": .rejected, "ignored": .ignored, "replaced": .replaced,
        "requeued": .requeued,
    ]

    @Sendable
    private static func ends(_ text: String) throws -> [Attempt.End] {
        try NameList.names(in: [text]).map { name in
            let word = name.lowercased()
            guard let end = words[word] ?? words.values.first(where: { $0.rawValue.lowercased() == word }) else {
                throw ValidationError(
                    "there is no state '\(name)'\(Suggestion.hint(for: word, among: words.keys.sorted()))")
            }
            return end
        }
    }

    @Sendable
    private static func span(_ text: String) throws -> Double {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        let unit = text.last.flatMap { units[$0] }
        guard let number = Double(unit == nil ? text : String(text.dropLast())), number >= 0, number < 1e9 else {
            throw ValidationError("it is no time span such as 90, 90s, 15m, 1h or 1d")
        }
        return number * (unit ?? 1)
    }
}

extension Attempt {
    /// One line for people.
    fileprivate var line: String {
        let took = duration.map { " in \($0.wording)" } ?? ""
        let words = "\(Words.time(endedAt)) \(end.rawValue) \(task.shortened(to: 100)) \(id)\(took) on \(node)"
        return (words + (error.map { ": \($0)" } ?? "")).printable()
    }
}
