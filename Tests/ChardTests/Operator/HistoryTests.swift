// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("The history of tasks", .fewAtATime, .timeLimit(.minutes(2)))
struct HistoryTests {
    @Test("what is kept is bounded in number and time, and each attempt is found while it is kept")
    func limits() {
        var book = HistoryBook(HistoryLimits(attempts: 100, timeToLive: .seconds(60)))
        let start = Date(timeIntervalSince1970: 1_800_000_000)
        for number in 0..<1_000 {
            let attempt = Attempt(id: "\(number % 70)", end: .failure, endedAt: start)
            book.note([AttemptRecord(attempt)], now: start)
        }
        #expect(book.attempts(since: .distantPast, onlyBad: false, limit: 5_000, now: start) { _ in true }.count == 100)
        #expect((0..<70).reduce(0) { $0 + book.attempts(of: "\($1)", now: start).count } == 100)
        #expect(book.attempts(of: "19", now: start + 61).isEmpty)
        book = HistoryBook(.none)
        book.note([AttemptRecord(Attempt(id: "a", end: .failure, endedAt: start))], now: start)
        #expect(book.attempts(of: "a", now: start).isEmpty)
    }

    @Test("a record made of a message says what one of an attempt at it says", arguments: [false, true])
    func recordOfMessage(isPlain: Bool) {
        let now = Date(timeIntervalSince1970: 1_800_000_000.5)
        var message = TaskMessage(task: "shop.add", id: "a\"b", body: MessageBody(), queue: "q")
        message.rootID = message.id
        if !isPlain {
            message.retries = 2
            message.losses = 1
            message.rootID = "root"
            message.parentID = "parent"
            message.group = "group"
            message.origin = "gen1@host"
            message.eta = now - 5
            message.noteSent(at: now - 10)
        }
        let error = isPlain ? nil : String(repeating: "x", count: 600)
        var attempt = Attempt(message, on: "q", end: .failure, endedAt: now)
        attempt.node = "shop@host"
        attempt.startedAt = now - 1
        attempt.error = error
        let record = AttemptRecord(
            of: message, on: "q", by: "shop@host", end: .failure, startedAt: now - 1, endedAt: now, error: error)
        #expect(record == AttemptRecord(attempt))
        #expect(record.attempt?.error?.count == (isPlain ? nil : Attempt.mostError))
    }

    @Test("a task that fails twice and then succeeds is found with all of it")
    func story() async throws {
        let (app, broker) = makeApp()
        let policy = RetryPolicy.constant(maxRetries: 3, delay: .zero)
        let task = app.task("t", options: TaskOptions(retry: policy)) { (context: TaskContext) in
            if context.attempt < 3 { throw TaskError("ValueError", "no \(context.attempt)") }
            return 7
        }
        let result = try await task.enqueue(queue: "q")
        try await withWorker(app, queues: ["q"]) { _ in
            #expect(try await result.value(timeout: .seconds(20)) == 7)
            try await eventually("it is remembered") { try await broker.attempts(of: result.id).count == 3 }
        }
        let record = try #require(try await app.find(result.id))
        #expect(record.attempts.map(\.end) == [.retry, .retry, .success])
        #expect(record.attempts.map(\.number) == [1, 2, 3])
        #expect(record.attempts.map(\.error) == ["ValueError: no 1", "ValueError: no 2", nil])
        #expect(record.attempts.allSatisfy { $0.node == "test@here" && $0.queue == "q" && $0.duration != nil })
        #expect(record.state == "success" && record.task == "t" && record.origin?.hasSuffix("@app") == true)
        #expect(record.document["attempts"]?.array?.count == 3)
        let found = try await app.operator.attempts(ended: [.retry], task: "?", error: "NO 2")
        #expect(found.map(\.number) == [2])
        #expect(try await app.operator.attempts(task: "u*").isEmpty)
    }

    @Test("where a task is: next, further back, delayed, running, dead; and nil where it never was")
    func places() async throws {
        let (app, _) = makeApp()
        let gate = Gate()
        let task = app.task("t") { () in await gate.passStubbornly() }
        #expect(try await app.find("nobody") == nil)
        let first = try await task.enqueue()
        let second = try await task.enqueue()
        let later = try await task.enqueue(in: .seconds(600))
        var places: [String] = []
        for id in [first.id, second.id, later.id] {
            switch try await app.find(id)?.place {
            case .waiting(let queue, let ahead): places.append("\(queue) \(ahead)")
            case .delayed(let queue, _): places.append("\(queue) delayed")
            default: places.append("elsewhere")
            }
        }
        #expect(places == ["celery 0", "celery 1", "celery delayed"])
        let unknown = try await app.send("nobody.knows", queue: "other")
        try await withWorker(app, concurrency: 1, queues: ["celery", "other"]) { _ in
            try await eventually("the first one runs") { try await app.find(first.id)?.state == "running" }
            #expect(try await app.operator.why(first.id).cause == "running")
            gate.open()
            try await eventually("the unknown one is dead") { try await app.find(unknown.id)?.state == "dead" }
        }
        #expect(try await app.operator.why(unknown.id).cause == "dead")
    }

    @Test("secrets of one's own do not get into a history, and errors only in part")
    func text() throws {
        var attempt = Attempt(id: "a", end: .failure, endedAt: Date(timeIntervalSince1970: 1_800_000_000))
        attempt.error = String(repeating: "ü", count: 10_000)
        attempt.task = String(repeating: "t", count: 10_000)
        let text = attempt.encoded()
        #expect(text.count < 5_000)
        let read = try #require(Attempt(id: "a", stored: text))
        #expect(read.error?.count == 500 && read.task.count == 500)
        #expect(Attempt(id: "a", stored: Array("[]".utf8)) == nil)
    }

    @Test("a broker that takes no history keeps nobody waiting")
    func refused() async {
        let log = RecordingLog()
        let historian = Historian(logger: log.logger(), pause: .zero) { _ in throw BrokerError(.refused, "no room") }
        for number in 0..<3 {
            historian.add([AttemptRecord(Attempt(id: "\(number)", end: .success, endedAt: Date()))])
            await historian.close()
        }
        #expect(log.messages == ["the history of tasks is not written"])
    }
}
