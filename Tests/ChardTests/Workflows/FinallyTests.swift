// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Groups that go on finally", .timeLimit(.minutes(2)))
struct FinallyTests {
    let app: Chard
    let broker: MemoryBroker
    let double: TaskHandle<Int, Int>
    let add: TaskHandle<Int, Int, Int>
    let fail: TaskHandle<Int, Int>
    let report: TaskHandle<[String], [PartOutcome<Int>]>
    let count: TaskHandle<Int, [String]>

    init() {
        (app, broker) = makeApp()
        double = app.task("double") { (x: Int) in 2 * x }
        add = app.task("add") { (x: Int, y: Int) in x + y }
        fail = app.task("fail") { (x: Int) -> Int in throw TaskError("ValueError", "no \(x)") }
        report = app.task("report") { (parts: [PartOutcome<Int>]) in
            parts.map { part in
                switch part.result {
                case .success(let value): "\(value)"
                case .failure(let error): "\(error)"
                }
            }
        }
        count = app.task("count") { (parts: [String]) in parts.count }
    }

    @Test("the body gets an outcome for each member, in their order, and goes on")
    func outcomes() async throws {
        try await withWorker(app, concurrency: 4) { _ in
            let parts = [
                try double.signature(1).workflow, try fail.signature(2).workflow, try fail.signature(3).then(double),
                try double.signature(4).then(add, with: 1),
            ]
            let result = try await group(parts).finally(report).enqueue()
            #expect(
                try await result.value(timeout: .seconds(20)) == ["2", "ValueError: no 2", "ValueError: no 3", "9"])
            let workflow = app.workflow(try #require(result.workflowID))
            let known = try #require(try await workflow.report())
            #expect(known.state == .succeeded && known.progress.total == 7 && known.progress.failed == 3)

            let again = try await group(parts).finally(report).then(count).enqueue()
            #expect(try await again.value(timeout: .seconds(20)) == 4)
        }
        try await broker.expectEmpty()
    }

    @Test("members that are chords, a body with more arguments, and a step before the group")
    func larger() async throws {
        let sum = app.task("sum") { (values: [Int]) in values.reduce(0, +) }
        let tell = app.task("tell") { (parts: [PartOutcome<Int>], word: String) in
            "\(parts.count { (try? $0.get()) != nil }) \(word)"
        }
        try await withWorker(app, concurrency: 4) { _ in
            let good = try group([double.signature(1), double.signature(2)]).then(sum)
            let bad = try group([double.signature(1), fail.signature(2)]).then(sum)
            let result = try await group([good, bad]).finally(tell, with: "of two").enqueue()
            #expect(try await result.value(timeout: .seconds(20)) == "1 of two")
            let each = try double.signature(3).then(eachOf: [add, add], with: 1).finally(report)
            #expect(try await each.enqueue().value(timeout: .seconds(20)) == ["7", "7"])
        }
        try await broker.expectEmpty()
    }

    @Test("a member that is revoked has an outcome, too; of a workflow that is cancelled the body is revoked")
    func revoked() async throws {
        let parts = [try double.signature(1), try double.signature(2, id: "gone")]
        try await app.operator.revoke(["gone"])
        let result = try await group(parts).finally(report).enqueue()
        let cancelled = try await group([double.signature(1)]).finally(report).enqueue()
        try await app.workflow(try #require(cancelled.workflowID)).cancel()
        try await withWorker(app) { _ in
            let told = try await result.value(timeout: .seconds(20))
            #expect(told == ["2", "TaskRevokedError: revoked"])
            let status = try await cancelled.finalStatus(timeout: .seconds(20))
            #expect(status.state == .revoked)
            // Who waits was told at once: the message is dropped when a worker comes to it.
            try await eventually("what was called off is dropped") {
                try await broker.queues().allSatisfy { $0.waiting + $0.leased == 0 }
            }
        }
        try await broker.expectEmpty()
    }

    @Test("a member that runs twice counts once, and the body runs once")
    func twice() async throws {
        let bodies = Recorder<Int>()
        let once = app.task("once") { (parts: [PartOutcome<Int>]) in bodies.add(parts.count) }
        app.add(SendingTwice())
        let result = try await group((0..<20).map { try double.signature($0) }).finally(once).enqueue()
        try await withWorker(app, concurrency: 4) { _ in
            try await result.value(timeout: .seconds(20))
            try await eventually("all is done") {
                try await broker.queues().allSatisfy { $0.waiting + $0.leased == 0 }
            }
        }
        #expect(bodies.all == [20])
    }

    @Test("an arrival that came as a message of its own, as Python sends it, counts as the part")
    func byMessage() async throws {
        let body = Canvas(task: "report")
        var frozen = body
        frozen.freeze("body")
        try await broker.store([
            StatusRecord(
                TaskStatus(id: "bad", state: .failure, result: TaskError("ValueError", "boom").info.json.encoded()),
                timeToLive: nil)
        ])
        for (index, argument) in ["7", #""bad""#].enumerated() {
            let arrival = Arrival(
                id: "x\(index)", group: "g", index: index, size: 2, body: frozen.encoded(), isSuccess: index == 0)
            let canvas = arrival.signature(on: "celery").called(with: [Array(argument.utf8)[...]])
            try await app.send(canvas)
        }
        try await withWorker(app) { _ in
            let value = try await app.result(of: "body").value(timeout: .seconds(20))
            #expect(value == ["7", "ValueError: boom"])
        }
        try await broker.expectEmpty()
    }

    @Test("what cannot be carried on is refused at the call, in words")
    func refusals() async throws {
        let elsewhere = app.reference("py.fetch", taking: Int.self, returning: Int.self)
        let there = app.reference("py.report", taking: [PartOutcome<Int>].self, returning: Int.self)
        let unknown = try group([elsewhere.signature(1)]).finally(there)
        let error = await thrown(AppError.self) { try await unknown.enqueue() }
        #expect(error?.description.contains("queue: \"swift\"") == true)
        _ = try await group([elsewhere.signature(1)]).finally(there, queue: "swift").enqueue()
        let none = [Signature<Int>]()
        #expect(throws: AppError.self) { try group(none) }
        #expect(throws: AppError.self) {
            try group(double, over: Array(repeating: 1, count: 1_000_001), inChunksOf: 1)
        }
        var deep = try double.signature(1).workflow
        let sum = app.task("sum") { (values: [Int]) in values.reduce(0, +) }
        let tooDeep = #expect(throws: CanvasError.self) {
            for _ in 0..<10_000 { deep = try group([deep]).then(sum) }
        }
        #expect(tooDeep?.description.contains("no more than 100") == true)
    }

    @Test("callbacks that are pipelines, and several pipelines at once")
    func pipelines() async throws {
        let noted = Recorder<Int>()
        let note = app.task("note") { (x: Int) in noted.add(x) }
        try await withWorker(app) { _ in
            let result = try await double.signature(3).workflow.onSuccess(double.then(note)).enqueue()
            #expect(try await result.value(timeout: .seconds(20)) == 6)
            try await eventually("the callback has run") { noted.all == [12] }
            let both = try double.signature(1).then(eachOf: [double.then(double), double.then(add, with: 1)])
            #expect(try await both.enqueue().values(timeout: .seconds(20)) == [8, 5])
        }
    }

    @Test(
        "as a part of something larger: a step of a chain, a member of a chord, within one another, and in a task's place"
    )
    func nested() async throws {
        let sum = app.task("sum") { (values: [Int]) in values.reduce(0, +) }
        let counted = try group([double.signature(1), fail.signature(2)]).finally(report).then(count)
        let replaced = app.task("replaced") { [double, fail, report, count] (context: TaskContext) -> Int in
            try context.replace(
                by: group([double.signature(1), fail.signature(2)]).finally(report).then(count).then(double))
        }
        try await withWorker(app, concurrency: 4) { _ in
            let step = try await double.signature(1).then(counted).then(add, with: 40).enqueue()
            #expect(try await step.value(timeout: .seconds(20)) == 42)
            let members = try await group([counted, double.signature(5).workflow, counted]).then(sum).enqueue()
            #expect(try await members.value(timeout: .seconds(20)) == 14)
            let inner = try await group([counted, fail.signature(1).workflow]).finally(report).enqueue()
            #expect(try await inner.value(timeout: .seconds(20)) == ["2", "ValueError: no 1"])
            #expect(try await replaced.enqueue().value(timeout: .seconds(20)) == 4)
            let fed = try await double.signature(3).then(eachOf: [double, double]).finally(report).then(count).then(
                double
            )
            .enqueue()
            #expect(try await fed.value(timeout: .seconds(20)) == 4)
            let id = try #require(members.workflowID)
            let known = try #require(try await app.workflow(id).report())
            #expect(known.state == .succeeded)
        }
        try await broker.expectEmpty()
    }

    @Test("in immediate mode, too")
    func immediate() async throws {
        app.runImmediately()
        let parts = [try double.signature(1), try fail.signature(2)]
        let result = try await group(parts).finally(report).enqueue()
        let value = try await result.value(timeout: .seconds(1))
        #expect(value == ["2", "ValueError: no 2"])
    }
}

/// Sends each message twice, as a broker may deliver it.
private struct SendingTwice: Middleware {
    func enqueue(
        _ messages: [TaskMessage], next: @Sendable ([TaskMessage]) async throws -> Enqueued
    ) async throws -> Enqueued {
        try await next(messages + messages)
    }
}
