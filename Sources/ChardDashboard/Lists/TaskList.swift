// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// The tasks that a filter finds: a part of them, from a bounded number of messages that are looked at.
struct TaskList: Sendable {
    var rows: [TaskRow] = []
    /// How many there are; `nil` where nobody has counted them.
    var total: Int?
    /// Which part was looked at, in a sentence, where there is more.
    var note: String?

    /// A page looks at no more messages than this.
    static let pageBudget = 1_000
    /// No more queues than this are looked into for one list.
    private static let mostQueues = 200

    /// - Parameters:
    ///   - from: How many to pass over.
    ///   - budget: How many messages are looked at, at most.
    static func find(
        _ filter: TaskFilter, _ question: Question, from: Int, limit: Int, budget: Int = pageBudget
    ) async throws -> TaskList {
        switch filter.state {
        case .waiting: try await waiting(filter, question, from, limit, budget)
        case .running: try await running(filter, question, from, limit, budget)
        case .delayed: try await delayed(filter, question, from, limit, budget)
        case .dead: try await dead(filter, question, from, limit, budget)
        default: try await ended(filter, question, from, limit)
        }
    }

    private init(_ found: [TaskRow], _ filter: TaskFilter, _ from: Int, _ limit: Int, note: String?) {
        let wanted = found.filter(filter.matches)
        rows = Array(wanted.dropFirst(from).prefix(limit))
        total = wanted.count
        self.note = note
    }

    private init() {}

    private static func ended(
        _ filter: TaskFilter, _ question: Question, _ from: Int, _ limit: Int
    ) async throws -> TaskList {
        let ends = filter.state.ends
        let attempts = try await question.facts.attempts.all()
        let isCut = await question.facts.attempts.isCut
        // Rows are made of what is shown only.
        let wanted = attempts.filter { attempt in
            (ends.isEmpty || ends.contains(attempt.end)) && filter.matches(TaskRow(attempt))
        }
        var list = TaskList()
        list.rows = wanted.dropFirst(from).prefix(limit).map(TaskRow.init)
        list.total = wanted.count
        if isCut {
            list.note =
                "These are from the last \(Wording.count(Double(RecentAttempts.most))) attempts that went well and as many that did not."
        }
        return list
    }

    /// The queues in which something of a kind is, as far as they are asked for.
    private static func queues(
        _ filter: TaskFilter, _ question: Question, _ count: (QueueReport) -> Int
    ) async throws -> [(name: String, count: Int)] {
        try await question.facts.queues.value().filter { count($0) > 0 && TaskFilter.matches(filter.queue, $0.queue) }
            .map { ($0.queue, count($0)) }
    }

    private static func waiting(
        _ filter: TaskFilter, _ question: Question, _ from: Int, _ limit: Int, _ budget: Int
    ) async throws -> TaskList {
        let queues = try await queues(filter, question, \.waiting)
        var list = TaskList()
        var (passed, looked, left, asked) = (0, 0, from, 0)
        if filter.isOnlyQueue { list.total = queues.reduce(0) { $0 + $1.count } }
        for (name, count) in queues where list.rows.count < limit && looked < budget && asked < mostQueues {
            var place = 0
            if filter.isOnlyQueue {
                // Nothing of what is passed over has to be seen.
                place = min(left, count)
                left -= place
                if place == count { continue }
            }
            asked += 1
            while list.rows.count < limit, looked < budget {
                let most = min(500, budget - looked, filter.isOnlyQueue ? limit - list.rows.count : 500)
                let messages = try await question.operator.queues.waiting(
                    in: name, from: place, limit: most, messageLimit: Self.glance)
                looked += messages.count
                place += messages.count
                for row in messages.lazy.map({ TaskRow($0, state: "waiting") }) where filter.matches(row) {
                    passed += 1
                    if (filter.isOnlyQueue || passed > from) && list.rows.count < limit { list.rows.append(row) }
                }
                if messages.count < most { break }
            }
        }
        let all = queues.reduce(0) { $0 + $1.count }
        if !filter.isOnlyQueue, looked < all {
            list.note = note(looked, of: all)
        }
        return list
    }

    /// Larger messages are read in part: enough for an id and a name.
    private static let glance = 16 << 10

    private static func running(
        _ filter: TaskFilter, _ question: Question, _ from: Int, _ limit: Int, _ budget: Int
    ) async throws -> TaskList {
        let queues = try await queues(filter, question, \.leased)
        let workers = try await question.facts.workers.value()
        let nodes = Dictionary(workers.map { ($0.identity, $0.node) }, uniquingKeysWith: { first, _ in first })
        let runs = Dictionary(
            workers.flatMap(\.vitals.running).map { ($0.id, $0.since) }, uniquingKeysWith: { first, _ in first })
        var found: [TaskRow] = []
        for (name, _) in queues.prefix(mostQueues) where found.count < budget {
            let messages = try await question.operator.queues.leased(
                in: name, limit: budget - found.count, messageLimit: Self.glance)
            found += messages.map { message in
                var row = TaskRow(message, state: "held")
                row.node = message.holder.map { nodes[$0] ?? $0 }
                if let since = runs[row.id] {
                    row.state = "running"
                    row.at = Date(timeIntervalSince1970: since)
                    row.seconds = max(0, question.now.timeIntervalSince1970 - since)
                }
                return row
            }
        }
        return TaskList(
            found, filter, from, limit, note: note(found.count, of: queues.reduce(0) { $0 + $1.count }))
    }

    private static func delayed(
        _ filter: TaskFilter, _ question: Question, _ from: Int, _ limit: Int, _ budget: Int
    ) async throws -> TaskList {
        let queues = try await queues(filter, question, \.delayed)
        let one = queues.count == 1 ? queues[0].name : nil
        let found = queues.isEmpty ? [] : try await question.operator.delayedTasks.list(in: one, limit: budget)
        return TaskList(
            found.map { TaskRow($0, now: question.now) }, filter, from, limit,
            note: found.count < budget ? nil : note(found.count, of: queues.reduce(0) { $0 + $1.count }))
    }

    private static func dead(
        _ filter: TaskFilter, _ question: Question, _ from: Int, _ limit: Int, _ budget: Int
    ) async throws -> TaskList {
        let queues = try await queues(filter, question, \.dead)
        let one = queues.count == 1 ? queues[0].name : nil
        let found = queues.isEmpty ? [] : try await question.operator.deadLetters.summaries(in: one, limit: budget)
        return TaskList(
            found.map { TaskRow($0.letter) }, filter, from, limit,
            note: found.count < budget ? nil : note(found.count, of: queues.reduce(0) { $0 + $1.count }))
    }

    /// That not all was looked through, where that is so.
    static func note(_ looked: Int, of all: Int) -> String? {
        looked < all
            ? "Only \(Wording.count(Double(looked))) of \(Wording.count(Double(all))) were looked through." : nil
    }
}
