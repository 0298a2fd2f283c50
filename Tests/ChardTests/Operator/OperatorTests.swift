// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("What an operator may ask and order", .timeLimit(.minutes(1)))
struct OperatorTests {
    @Test("queues are reported, paused, resumed and purged")
    func queues() async throws {
        let (app, _) = makeApp()
        let task = app.task("t") { () in 1 }
        try await task.enqueue()
        try await task.enqueue(options: EnqueueOptions(countdown: .seconds(60)))
        let queues = app.operator.queues
        #expect(try await queues.pause("celery"))
        #expect(try await !queues.pause("celery"))
        var report = try #require(try await queues.reports().first)
        #expect((report.queue, report.waiting, report.delayed, report.isPaused) == ("celery", 1, 1, true))
        #expect(try await queues.resume("celery"))
        #expect(try await !queues.resume("celery"))
        #expect(try await queues.purge("celery") == 1)
        report = try #require(try await queues.reports().first)
        #expect((report.waiting, report.delayed, report.isPaused) == (0, 1, false))
        #expect(try await queues.purge("celery", delayed: true) == 1)
    }

    @Test("messages that wait, and those that are held, can be looked at")
    func peeking() async throws {
        let (app, _) = makeApp()
        let gate = Gate()
        let task = app.task("t") { (_: String) in try await gate.pass() }
        let large = try await task.enqueue(String(repeating: "x", count: Operator.Queues.glance))
        let small = try await task.enqueue("y", options: EnqueueOptions(queue: "other"))
        let queues = app.operator.queues
        #expect(try await queues.names() == ["celery", "other"])
        let waiting = try #require(try await queues.waiting(in: "celery").first)
        #expect(waiting.task.id == large.id && waiting.task.name == "t" && waiting.holder == nil)
        #expect(waiting.size > Operator.Queues.glance && waiting.payload.count < Operator.Queues.glance)
        #expect(waiting.message == nil)
        let whole = try #require(try await queues.waiting(in: "celery", messageLimit: waiting.size).first)
        #expect(whole.message?.id == large.id && whole.size == waiting.size)
        try await withWorker(app, queues: ["other"]) { _ in
            try await eventually("it runs") { gate.arrivals == 1 }
            let leased = try await queues.leased(in: "other")
            #expect(leased.map(\.task.id) == [small.id])
            #expect(leased.map(\.holder) == (try await app.operator.workers()).map(\.identity))
            #expect(try await queues.waiting(in: "other").isEmpty)
            #expect(try await queues.leased(in: "celery").isEmpty)
            gate.open()
            try await small.value(timeout: .seconds(20))
        }
    }

    @Test("dead letters are listed, shown, requeued and dropped")
    func deadLetters() async throws {
        let (app, broker) = makeApp()
        let ids = ["a", "b", "c"]
        for id in ids { try await app.send("unknown", options: EnqueueOptions(id: id)) }
        try await withWorker(app) { worker in
            try await eventually("they are dead") { worker.vitals.failed == 3 }
        }
        let letters = app.operator.deadLetters
        #expect(Set(try await letters.list().map(\.id)) == Set(ids))
        #expect(try await letters.list(in: "elsewhere").isEmpty)
        #expect(try await letters.list(limit: 2).count == 2)
        let summary = try #require(try await letters.summaries().first { $0.letter.id == "a" })
        let letter = try #require(try await letters.find("a"))
        #expect(summary == DeadLetterSummary(letter))
        #expect(letter.reason == .notRegistered && !letter.payload.isEmpty && summary.letter.payload.isEmpty)
        #expect(try await letters.requeue("a"))
        #expect(try await letters.drop("b"))
        for id in ["a", "b"] {
            #expect(try await letters.find(id) == nil)
            #expect(try await !letters.requeue(id))
            #expect(try await !letters.drop(id))
        }
        #expect(try await broker.takeAll() == ["a"])
    }

    @Test("workers are those that hold a consumer")
    func workers() async throws {
        let (app, _) = makeApp()
        #expect(try await app.operator.workers().isEmpty)
        try await withWorker(app, concurrency: 3) { _ in
            try await eventually("it is seen") { try await app.operator.workers().map(\.node) == ["test@here"] }
            #expect(try await app.operator.workers().first?.concurrency == 3)
        }
    }

    @Test("what a broker cannot do is said with its location")
    func powers() async throws {
        let app = Chard("app", broker: RecordingBroker())
        let it = app.operator
        let asked: [(String, @Sendable () async throws -> Void)] = [
            ("be looked into", { _ = try await it.queues.reports() }),
            ("be looked into", { _ = try await it.queues.names() }),
            ("show messages", { _ = try await it.queues.waiting(in: "q") }),
            ("show messages", { _ = try await it.queues.leased(in: "q") }),
            ("be looked into", { try await it.queues.purge("q") }),
            ("be looked into", { _ = try await it.workers() }),
            ("be looked into", { _ = try await it.deadLetters.summaries() }),
            ("be looked into", { try await it.deadLetters.requeue("a") }),
            ("keep orders: revoked tasks and paused queues", { try await it.revoke(["a"]) }),
            ("keep orders: revoked tasks and paused queues", { try await it.queues.pause("q") }),
            ("show what waits for its time", { _ = try await it.delayedTasks.list() }),
            ("keep schedules", { _ = try await it.schedules.list() }),
            ("say what endangers tasks", { _ = try await it.diagnose() }),
        ]
        for (deed, ask) in asked {
            let error = await thrown(AppError.self) { try await ask() }
            #expect(error?.description == "the broker at recording:// cannot \(deed)")
        }
        // Where nobody can be told of an end, its lease lapses.
        try await it.declareLost("nobody")
    }

    @Test("what is found wrong with the broker is told as it is found")
    func diagnosis() async throws {
        let found = [Finding(.danger, "memory", "it is full", advice: "buy some")]
        let app = Chard("app", broker: FrankBroker(findings: found))
        #expect(try await app.operator.diagnose() == found)
    }
}

/// A broker that knows what is wrong with it.
private final class FrankBroker: DiagnosableBroker {
    let findings: [Finding]
    let location = "frank://"
    private let memory = MemoryBroker()

    init(findings: [Finding]) {
        self.findings = findings
    }

    func diagnose() async throws -> [Finding] { findings }

    func send(_ messages: [OutgoingMessage]) async throws -> [Placement] { try await memory.send(messages) }
    func consumer(for subscription: Subscription) async throws -> any Consumer {
        try await memory.consumer(for: subscription)
    }
    func connect() async throws {}
    func store(_ statuses: [StatusRecord]) async throws { try await memory.store(statuses) }
    func status(of id: String) async throws -> TaskStatus? { try await memory.status(of: id) }
    func statuses(of id: String) -> AsyncThrowingStream<TaskStatus, any Error> { memory.statuses(of: id) }
    func forget(_ id: String) async throws -> Bool { try await memory.forget(id) }
    func shutdown() async {}
}
