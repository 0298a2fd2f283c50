// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("What a run comes to", .fewAtATime, .timeLimit(.minutes(3)))
struct OutcomeTests {
    let app: Chard
    let broker: MemoryBroker

    init() {
        (app, broker) = makeApp()
    }

    @Test("success: the value arrives, the message is gone, the status tells")
    func success() async throws {
        let add = app.task("add") { (x: Int, y: Int) in x + y }
        try await withWorker(app) { worker in
            let result = try await add.enqueue(2, 3)
            #expect(try await result.value(timeout: .seconds(20)) == 5)
            let status = try await result.status()
            #expect(status.state == .success)
            #expect(status.result == 5)
            #expect(abs(try #require(status.dateDone).timeIntervalSinceNow) < 30)
            #expect(status.traceback == nil)
            try await eventually("one is counted") {
                let vitals = worker.vitals
                return vitals.running.isEmpty && vitals.done == 1 && vitals.failed == 0
            }
        }
        let report = try #require(try await broker.queues().first)
        #expect(report == QueueReport(queue: "celery", waiting: 0, delayed: 0, leased: 0, dead: 0))
    }

    @Test("a task that returns nothing succeeds with null")
    func nothing() async throws {
        let quiet = app.task("quiet") { () in }
        try await withWorker(app) { _ in
            let result = try await quiet.enqueue()
            try await result.value(timeout: .seconds(20))
            #expect(try await result.status().result == nil)
        }
    }

    struct Broke: Error, CustomStringConvertible {
        let description = "it broke"
    }

    @Test("failure: type, message and where it happened reach the caller, and nothing is kept")
    func failure() async throws {
        let task = app.task("breaks") { () -> Int in throw Broke() }
        try await withWorker(app) { worker in
            let result = try await task.enqueue()
            let error = await thrown(TaskError.self) { try await result.value(timeout: .seconds(20)) }
            #expect(error?.type == "Broke")
            #expect(error?.module == "ChardTests")
            #expect(error?.message == "it broke")
            #expect(error?.taskID == result.id)
            #expect(
                error?.traceback == "Broke: it broke\n  in task breaks[\(result.id)], attempt 1, on test@here\n")
            try await eventually("the failure is counted") { worker.vitals.failed == 1 && worker.vitals.done == 1 }
        }
        #expect(try await broker.deadLetters(in: nil, limit: 10).isEmpty)
    }

    @Test("a TaskError keeps its type, so that Python catches the class it knows")
    func taskError() async throws {
        let task = app.task("value") { () -> Int in throw TaskError("ValueError", "boom") }
        try await withWorker(app) { _ in
            let status = try await task.enqueue().finalStatus(timeout: .seconds(20))
            #expect(status.state == .failure)
            #expect(status.result == ["exc_type": "ValueError", "exc_message": ["boom"], "exc_module": "builtins"])
        }
    }

    @Test("a result that cannot be written is a failure")
    func unwritable() async throws {
        let task = app.task("odd") { () in EnqueueTests.Unwritable() }
        try await withWorker(app) { _ in
            let status = try await task.enqueue().finalStatus(timeout: .seconds(20))
            #expect(status.state == .failure)
            #expect(status.error?.type == "EncodingError")
        }
    }

    @Test("Ignore ends a task without a trace")
    func ignore() async throws {
        let task = app.task("ignored") { () -> Int in throw Ignore() }
        try await withWorker(app) { worker in
            let result = try await task.enqueue()
            try await eventually("it is settled") { worker.vitals.done == 1 }
            #expect(worker.vitals.failed == 0)
            #expect(try await broker.status(of: result.id) == nil)
        }
        #expect(
            try await broker.queues().first
                == QueueReport(queue: "celery", waiting: 0, delayed: 0, leased: 0, dead: 0))
    }

    @Test("Reject for good keeps the message, and the caller is told")
    func reject() async throws {
        let task = app.task("picky") { () -> Int in throw Reject("not mine") }
        try await withWorker(app) { _ in
            let result = try await task.enqueue()
            let error = await thrown(TaskError.self) { try await result.value(timeout: .seconds(20)) }
            #expect(error?.type == "Reject")
            #expect(error?.module == "celery.exceptions")
            #expect(error?.arguments == ["not mine", false])
            let letter = try #require(try await broker.deadLetter(result.id))
            #expect(letter.reason == .rejected)
            #expect(letter.error == "not mine")
            #expect(letter.attempts == 1)
            #expect(letter.worker == "test@here")
            #expect(letter.queue == "celery")
            #expect(try TaskMessage(decoding: letter.payload).id == result.id)
        }
    }

    @Test("Reject with requeue brings the message back a second later, uncounted")
    func requeue() async throws {
        let attempts = Recorder<(attempt: Int, time: Date)>()
        let task = app.task("again") { (context: TaskContext) in
            attempts.add((context.attempt, Date()))
            if attempts.count == 1 { throw Reject(requeue: true) }
        }
        try await withWorker(app) { _ in
            let result = app.result(of: "id")
            var statuses = try result.statuses().makeAsyncIterator()
            try await task.enqueue(options: EnqueueOptions(id: result.id))
            #expect(try await statuses.next()?.state == .success, "no status is stored before")
        }
        #expect(attempts.all.map(\.attempt) == [1, 1])
        let times = attempts.all.map(\.time)
        #expect(times[1].timeIntervalSince(times[0]) >= 1)
    }

    @Test("a task without a result leaves no status, a failing one neither")
    func ignoredResults() async throws {
        let done = Recorder<String>()
        let task = app.task("t", options: TaskOptions(ignoresResult: true)) { (fails: Bool) in
            done.add("ran")
            if fails { throw Broke() }
        }
        let kept = app.task("kept") { () in }
        try await withWorker(app) { worker in
            let ids = [try await task.enqueue(false).id, try await task.enqueue(true).id]
            let byCall = try await kept.enqueue(options: EnqueueOptions(ignoresResult: true))
            let wanted = try await task.enqueue(false, options: EnqueueOptions(ignoresResult: false))
            try await wanted.value(timeout: .seconds(20))
            try await eventually("all are settled") { worker.vitals.done == 4 }
            for id in ids + [byCall.id] { #expect(try await broker.status(of: id) == nil) }
            #expect(worker.vitals.failed == 1)
        }
        #expect(done.count == 3)
    }
}
