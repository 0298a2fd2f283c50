// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension BrokerClause {
    /// What brokers remember of attempts that are over.
    static let history: [BrokerClause] = [
        BrokerClause("a task's attempts", "Every attempt at a task is remembered, the oldest first, by all processes.")
        {
            trial in
            let broker = try await trial.broker(with: (any HistoryStore).self)
            let now = trial.fixture.now
            var first = Attempt(id: "a", end: .retry, endedAt: (now - 2).wholeMilliseconds)
            first.task = "täsk"
            first.queue = "q"
            first.node = "node@host"
            first.startedAt = (now - 3).wholeMilliseconds
            first.error = "ValueError: \"no\"\n"
            first.sentAt = Date(timeIntervalSince1970: now.timeIntervalSince1970.rounded(.down) - 5)
            (first.parentID, first.rootID, first.groupID, first.origin) = ("p", "r", "g", "1@app")
            var lost = Attempt(id: "a", end: .lost, endedAt: (now - 1).wholeMilliseconds)
            lost.number = 2
            lost.losses = 1
            let last = Attempt(id: "a", end: .success, endedAt: now.wholeMilliseconds)
            let other = Attempt(id: "b", end: .success, endedAt: now.wholeMilliseconds)
            try await broker.note([first, other].map { AttemptRecord($0) })
            try await broker.note([AttemptRecord(lost)])
            try await broker.note([AttemptRecord(last)])
            let second = try await trial.broker(with: (any HistoryStore).self)
            try trial.equal(try await second.attempts(of: "a"), [first, lost, last], "the attempts, seen by another")
            try trial.equal(try await second.attempts(of: "b"), [other], "those of another task")
            try trial.equal(try await second.attempts(of: "c"), [], "those of a task that nobody has sent")
        },

        BrokerClause(
            "the last attempts", "Attempts are listed by time, end and whatever else is asked, the newest first."
        ) {
            trial in
            let broker = try await trial.broker(with: (any HistoryStore).self)
            let now = trial.fixture.now.wholeMilliseconds
            let attempts = (0..<1_200).map { number in
                var attempt = Attempt(
                    id: "\(number)", end: number % 3 == 0 ? .failure : .success,
                    endedAt: now.addingTimeInterval(Double(number - 1_200) / 100))
                attempt.task = number % 2 == 0 ? "even" : "odd"
                return attempt
            }
            try await broker.note(attempts.map { AttemptRecord($0) })
            func ids(
                since: Date = .distantPast, onlyBad: Bool = false, limit: Int = 10_000,
                _ isWanted: @escaping @Sendable (Attempt) -> Bool = { _ in true }
            ) async throws -> [String] {
                try await broker.attempts(since: since, onlyBad: onlyBad, limit: limit, matching: isWanted).map(\.id)
            }
            try trial.equal(try await ids(), (0..<1_200).reversed().map { "\($0)" }, "all of them")
            try trial.equal(try await ids(limit: 3), ["1199", "1198", "1197"], "the last three")
            try trial.equal(try await ids(onlyBad: true, limit: 2), ["1197", "1194"], "the last two that went badly")
            try trial.equal(
                try await ids(since: now.addingTimeInterval(-0.055)).count, 5, "those of the last moment")
            try trial.equal(
                try await ids(onlyBad: true, limit: 2) { $0.task == "even" }, ["1194", "1188"], "those of one task")
        },

        BrokerClause(
            "reading a history on", "Whoever reads a history on finds every attempt once, whatever is told meanwhile."
        ) { trial in
            let broker = try await trial.broker(with: (any HistoryStore).self)
            let now = trial.fixture.now.wholeMilliseconds
            func note(_ numbers: Range<Int>) async throws {
                try await broker.note(
                    numbers.map { number in
                        AttemptRecord(
                            Attempt(
                                id: "\(number)", end: number % 3 == 0 ? .failure : .success,
                                endedAt: now.addingTimeInterval(Double(number - 2_000) / 1_000)))
                    })
            }
            var cursor: HistoryCursor?
            var found: [String] = []
            func readOn(_ limit: Int) async throws -> Int {
                let page = try await broker.attempts(after: cursor, limit: limit)
                cursor = page.cursor
                found += page.attempts.map(\.id)
                return page.attempts.count
            }
            try trial.equal(try await readOn(10), 0, "what is there before anything is told")
            for first in stride(from: 0, to: 900, by: 300) { try await note(first..<first + 300) }
            _ = try await readOn(100)
            try await note(900..<1_200)
            while try await readOn(100) > 0 {}
            try trial.equal(Set(found), Set((0..<1_200).map { "\($0)" }), "what was found")
            try trial.equal(found.count, 1_200, "how many were found")
            try await note(1_200..<1_201)
            try trial.equal(try await readOn(100), 1, "what was told since")
            let second = try await trial.broker(with: (any HistoryStore).self)
            try trial.equal(
                try await second.attempts(after: cursor, limit: 10).attempts, [], "what another finds after it")
        },

        BrokerClause(
            "a long story", "A task that is tried again and again has its last attempts, and takes bounded room."
        ) {
            trial in
            let broker = try await trial.broker(with: (any HistoryStore).self)
            let now = trial.fixture.now.wholeMilliseconds
            for number in 1...400 {
                var attempt = Attempt(
                    id: "a", end: .retry, endedAt: now.addingTimeInterval(Double(number - 400) / 1000))
                attempt.number = number
                attempt.error = String(repeating: "x", count: 400)
                try await broker.note([AttemptRecord(attempt)])
            }
            let attempts = try await broker.attempts(of: "a")
            try trial.equal(attempts.last?.number, 400, "the number of the last")
            try trial.hold(attempts.count >= 15, "the last fifteen are there; there are \(attempts.count)")
            try trial.equal(
                attempts.map(\.number), Array((401 - attempts.count)...400), "that none is missing before it")
        },

        BrokerClause("a loss", "That a worker was lost with a task is remembered with its node.") { trial in
            let broker = try await trial.broker(with: (any HistoryStore).self)
            try await broker.send([trial.task("a")])
            let lost = try await trial.consumer(node: "lost@host")
            _ = try await trial.take(lost, 1)
            try await trial.silence(lost)
            try await trial.eventuallyRecovered("the loss is remembered") {
                try await broker.attempts(of: "a").map(\.end) == [.lost]
            }
            let attempt = try await broker.attempts(of: "a")[0]
            try trial.equal(attempt.node, "lost@host", "the node")
            try trial.equal(attempt.task, "task", "the task")
            try trial.equal(attempt.queue, "q", "the queue")
        },
    ]
}

extension Date {
    /// As exact as a history is.
    fileprivate var wholeMilliseconds: Date {
        Date(timeIntervalSince1970: (timeIntervalSince1970 * 1000).rounded(.down) / 1000)
    }
}
