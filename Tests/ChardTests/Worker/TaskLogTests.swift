// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import Testing

@testable import Chard

@Suite("What a worker writes to its log", .fewAtATime, .timeLimit(.minutes(2)))
struct TaskLogTests {
    private let log = RecordingLog()
    private var started: [RecordingLog.Line] { log.lines.filter { $0.message.hasPrefix("started") } }

    /// Runs what is enqueued to its end, with a log at a level.
    private func run(
        at level: Logger.Level = .info, settings: Settings = Settings(), rate: Double = 50, ends count: Int = 1,
        _ prepare: (Chard, MemoryBroker) async throws -> Void
    ) async throws {
        let (app, broker) = makeApp(settings: settings)
        app.add(observer: TaskLog(app, linesPerSecond: rate, pause: .seconds(600), logger: log.logger(level)))
        try await prepare(app, broker)
        try await withWorker(app) { worker in
            try await eventually("all is done") { worker.vitals.done >= count }
        }
    }

    @Test("one line for a success, with task, id, queue, node and duration")
    func success() async throws {
        try await run { app, _ in
            try await app.task("t") { () in 1 }.enqueue(id: "the-id")
        }
        #expect(log.lines.count == 1)
        let line = try #require(log.lines.first)
        #expect(line.level == .info && line.message.hasPrefix("succeeded in "))
        #expect(line["task"] == "t" && line["task_id"] == "the-id" && line["queue"] == "celery")
        #expect(line["node"] == "test@here")
        #expect(Double(line["seconds"] ?? "") != nil)
    }

    @Test("a retry is a warning with its cause, the failure at its end an error")
    func failure() async throws {
        let policy = RetryPolicy.constant(maxRetries: 1, delay: .zero)
        try await run(ends: 2) { app, _ in
            try await app.task("t", options: TaskOptions(retry: policy)) { () in
                throw TaskError("ValueError", "no\nERROR forged")
            }.enqueue()
        }
        #expect(log.lines.map(\.level) == [.warning, .error])
        #expect(log.messages[0] == "retry in 0.0 ms, attempt 2 of 2")
        #expect(log.messages[1].hasPrefix("failed after ") && log.messages[1].contains("retriesExhausted"))
        #expect(log.lines.allSatisfy { $0["error"] == #"ValueError: no\nERROR forged"# })
    }

    @Test("what cannot be read is told with what is known of it; names are cut and made visible")
    func hostile() async throws {
        try await run { _, broker in
            let name = "evil\\u001b[2J" + String(repeating: "x", count: 500)
            let payload = #"{"headers": {"task": "\#(name)", "id": "a\nb"}, "body": 5}"#
            try await broker.send([OutgoingMessage(id: "x", queue: "celery", payload: Array(payload.utf8))])
        }
        let line = try #require(log.lines.first)
        #expect(line.level == .error)
        #expect(line["task"]?.hasPrefix(#"evil\u{1B}[2Jxx"#) == true)
        #expect(line["task"]?.count ?? 0 < 300)
        #expect(log.lines.allSatisfy { $0.metadata.values.allSatisfy { !"\($0)".contains("\n") } })
    }

    @Test("at warning nothing is written of what goes well, and at debug all of it")
    func levels() async throws {
        try await run(at: .warning) { app, _ in
            try await app.task("t") { () in 1 }.enqueue()
        }
        #expect(log.lines.isEmpty)
        try await run(at: .debug) { app, _ in
            try await app.task("t") { (x: Int) in x }.enqueue(7)
        }
        #expect(log.messages.first == "received" && started.map(\.message) == ["started, attempt 1"])
        #expect(started.first?["args"] == "(7,)")
    }

    @Test("arguments are shown where they may be, and secrets never")
    func arguments() async throws {
        try await run(at: .debug) { app, _ in
            let task = app.task("t", parameters: ["user", "Token"]) { (user: String, token: String) in 1 }
            _ = try await task.enqueue("ada", "hunter2")
        }
        #expect(started.map { $0["args"] } == ["('ada', '***')"])
        #expect(log.lines.allSatisfy { $0.metadata.values.allSatisfy { !"\($0)".contains("hunter2") } })
        try await run(at: .debug, settings: Settings(describesArguments: false)) { app, _ in
            try await app.task("t") { (x: Int) in x }.enqueue(7)
        }
        #expect(started.map { $0["args"] } == ["('ada', '***')", nil])
    }

    @Test("a flood of failures is a few lines, and a word about the others")
    func flood() async throws {
        try await run(rate: 1, ends: 300) { app, _ in
            let fails = app.task("fails") { () in throw TaskError("ValueError", "no") }
            let works = app.task("works") { () in 1 }
            for _ in 0..<299 { try await fails.enqueue() }
            try await works.enqueue()
        }
        let failed = log.lines.count { $0.message.hasPrefix("failed") }
        #expect(10...40 ~= failed)
        #expect(log.lines.count { $0.message.hasPrefix("succeeded") } == 1)
        let word = try #require(log.lines.last { $0.message.contains("more failed in") })
        #expect(word.level == .error && word["task"] == "fails" && word["count"] == "\(299 - failed)")
    }
}
