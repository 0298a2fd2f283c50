// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// The dead letters that are asked for, and how they fall into groups of one cause.
struct DeadList: Sendable {
    /// Letters of one task with one cause.
    struct Group: Sendable {
        let task: String
        let reason: String
        /// The error's text without what varies.
        let error: String
        var count = 0
        var newest: Date
        var oldest: Date
    }

    private(set) var letters: [DeadLetterSummary] = []
    private(set) var groups: [Group] = []
    /// That not all were looked through, where that is so.
    private(set) var note: String?

    /// A page looks at no more letters than this.
    static let pageBudget = 1_000

    static let parameters = [
        Page.Parameter("queue", "the queue that they came from"),
        Page.Parameter("task", "the task's name; * stands for any run of characters"),
        Page.Parameter("reason", "why they were put aside, such as badArguments"),
        Page.Parameter("error", "a part of the error's text"),
        Page.Parameter("like", "the error's text as a group has it, without what varies"),
    ]

    static func find(
        _ question: Question, budget: Int = pageBudget, _ filter: (String) -> String?
    ) async throws -> DeadList {
        let queue = filter("queue")
        let all = try await question.facts.queues.value().reduce(0) { sum, report in
            queue == nil || report.queue == queue ? sum + report.dead : sum
        }
        var list = DeadList()
        let found =
            all == 0 ? [] : try await question.operator.deadLetters.summaries(in: queue, limit: budget)
        list.note = found.count < budget ? nil : TaskList.note(found.count, of: all)
        let (task, reason, like) = (filter("task"), filter("reason"), filter("like"))
        let error = filter("error")?.lowercased()
        list.letters = found.filter { summary in
            let letter = summary.letter
            return TaskFilter.matches(task, letter.task ?? "?")
                && reason.map { $0 == letter.reason.rawValue } ?? true
                && error.map { letter.error.lowercased().contains($0) } ?? true
                && like.map { $0 == ErrorPattern.of(letter.error) } ?? true
        }
        list.group()
        return list
    }

    private struct Key: Hashable {
        let task: String
        let reason: String
        let error: String
    }

    private mutating func group() {
        var found: [Key: Group] = [:]
        for letter in letters.lazy.map(\.letter) {
            let key = Key(
                task: letter.task ?? "?", reason: letter.reason.rawValue, error: ErrorPattern.of(letter.error))
            var group =
                found[key]
                ?? Group(
                    task: key.task, reason: key.reason, error: key.error, newest: letter.diedAt, oldest: letter.diedAt)
            group.count += 1
            group.newest = max(group.newest, letter.diedAt)
            group.oldest = min(group.oldest, letter.diedAt)
            found[key] = group
        }
        groups = found.values.sorted { ($0.count, $0.newest, $0.error) > ($1.count, $1.newest, $1.error) }
    }
}

extension DeadList.Group {
    /// As pages have it, with the address of its letters.
    var document: JSON {
        let query = [("task", task), ("reason", reason), ("like", error)]
            .map { "\($0)=\(PercentCoding.encode($1))" }.joined(separator: "&")
        return [
            "task": .string(task), "reason": .string(reason), "error": .string(error), "count": .integer(count),
            "newest_at": .string(Timestamp.text(for: newest)), "oldest_at": .string(Timestamp.text(for: oldest)),
            "address_query": .string(query),
        ]
    }
}
