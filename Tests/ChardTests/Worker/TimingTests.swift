// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Times: not before, not after, not for longer", .fewAtATime, .timeLimit(.minutes(3)))
struct TimingTests {
    let app: Chard
    let broker: MemoryBroker

    init() {
        (app, broker) = makeApp()
    }

    @Test("an expired task is revoked, and does not run")
    func expired() async throws {
        let runs = Recorder<Int>()
        let task = app.task("t") { (x: Int) in runs.add(x) }
        let late = try await task.enqueue(1, options: EnqueueOptions(expiresAt: Date() - 1))
        let inTime = try await task.enqueue(2, options: EnqueueOptions(expires: .seconds(3600)))
        try await withWorker(app) { worker in
            let error = await thrown(TaskError.self) { try await late.value(timeout: .seconds(20)) }
            #expect(error?.type == "TaskRevokedError")
            #expect(error?.module == "celery.exceptions")
            #expect(error?.message == "expired")
            #expect(try await late.status().state == .revoked)
            try await inTime.value(timeout: .seconds(20))
            try await eventually("both are counted") { worker.vitals.done == 2 }
            #expect(worker.vitals.failed == 0)
        }
        #expect(runs.all == [2])
        #expect(try await broker.deadLetters(in: nil, limit: 9).isEmpty)
    }

    @Test("no task starts before its time", arguments: [false, true])
    func eta(workerHoldsETA: Bool) async throws {
        let task = app.task("t") { () in Date().timeIntervalSince1970 }
        try await withWorker(app) { _ in
            let eta = Date() + 0.3
            let options = EnqueueOptions(eta: eta, workerHoldsETA: workerHoldsETA)
            let started = try await task.enqueue(options: options).value(timeout: .seconds(20))
            // A message says its time in microseconds, and a claimed one may be 5 ms early by a clock across the network.
            #expect(started >= eta.timeIntervalSince1970 - (workerHoldsETA ? 0.005 : 0.000_002))
        }
    }

    @Test("a message that comes too early is scheduled as it is, by the broker's clock")
    func tooEarly() async throws {
        let broker = RecordingConsumerBroker()
        let app = Chard("app", broker: broker)
        app.task("t") { () in 1 }
        var message = TaskMessage(task: "t", id: "id", body: MessageBody(), queue: "celery")
        message.eta = Date() + 3600
        message.properties.priority = 6
        let payload = message.encoded()
        try await broker.send([OutgoingMessage(id: "id", queue: "celery", priority: 6, payload: payload)])
        try await withWorker(app) { worker in
            try await eventually("it is scheduled") { try await broker.memory.queues().first?.delayed == 1 }
            let follower = try #require(broker.settled.first?.effects.messages.first)
            #expect(follower.payload == payload)
            #expect(follower.priority == 6)
            #expect(abs(try #require(follower.dueAt).timeIntervalSince(try #require(message.eta))) < 0.001)
            #expect(try await broker.status(of: "id") == nil)
        }
    }

    @Test("the soft limit cancels the run")
    func soft() async throws {
        let task = app.task("t", options: TaskOptions(softTimeLimit: .milliseconds(30))) { () in
            try await Task.sleep(for: .seconds(20))
        }
        try await withWorker(app) { worker in
            let error = await thrown(TaskError.self) { try await task.enqueue().value(timeout: .seconds(10)) }
            #expect(error?.type == "SoftTimeLimitExceeded")
            #expect(error?.module == "billiard.exceptions")
            #expect(error?.arguments == [])
            try await eventually("the slot is free") { worker.vitals.running.isEmpty }
        }
    }

    @Test("a body may use the soft limit to end well, or to fail in its own words")
    func softCaught() async throws {
        let options = TaskOptions(softTimeLimit: .milliseconds(30))
        let saves = app.task("saves", options: options) { (context: TaskContext) in
            try? await Task.sleep(for: .seconds(20))
            return context.isCancelled
        }
        let fails = app.task("fails", options: options) { () in
            try? await Task.sleep(for: .seconds(20))
            throw TaskError("Untidy", "left half of it")
        }
        try await withWorker(app) { _ in
            let wasTold = try await saves.enqueue().value(timeout: .seconds(10))
            #expect(wasTold)
            let error = await thrown(TaskError.self) { try await fails.enqueue().value(timeout: .seconds(10)) }
            #expect(error?.type == "Untidy")
        }
    }

    @Test("slots whose runs were cancelled go on with the next task")
    func slotsSurvive() async throws {
        let options = TaskOptions(softTimeLimit: .milliseconds(10))
        let slow = app.task("slow", options: options) { () in try await Task.sleep(for: .seconds(20)) }
        let quick = app.task("quick") { () in Task.isCancelled }
        try await withWorker(app, concurrency: 1) { _ in
            for _ in 0..<5 {
                let error = await thrown(TaskError.self) { try await slow.enqueue().value(timeout: .seconds(10)) }
                #expect(error?.type == "SoftTimeLimitExceeded")
                let isCancelled = try await quick.enqueue().value(timeout: .seconds(10))
                #expect(!isCancelled)
            }
        }
    }

    @Test("the hard limit settles a run whose body ignores its cancellation, once")
    func hard() async throws {
        let gate = Gate()
        let told = Recorder<Bool>()
        let task = app.task("t", options: TaskOptions(timeLimit: .milliseconds(50))) { (context: TaskContext) in
            await gate.passStubbornly()
            told.add(context.isCancelled)
        }
        let other = app.task("other") { () in "free" }
        try await withWorker(app, concurrency: 2) { worker in
            let result = try await task.enqueue()
            let error = await thrown(TaskError.self) { try await result.value(timeout: .seconds(10)) }
            #expect(error?.type == "TimeLimitExceeded")
            #expect(error?.module == "billiard.exceptions")
            #expect(error?.arguments == [0.05])
            #expect(gate.arrivals == 1 && told.count == 0, "the body still runs")
            #expect(try await other.enqueue().value(timeout: .seconds(10)) == "free")
            gate.open()
            try await eventually("the body has ended") { told.count == 1 }
            #expect(told.all == [true])
            #expect(try await other.enqueue().value(timeout: .seconds(10)) == "free")
            #expect(try await result.status().state == .failure)
            try await eventually("each is counted once") { worker.vitals.done == 3 && worker.vitals.failed == 1 }
        }
        #expect(
            try await broker.queues().first
                == QueueReport(queue: "celery", waiting: 0, delayed: 0, leased: 0, dead: 0))
    }

    @Test("the call's limits go before the task's")
    func callLimits() async throws {
        let task = app.task("t", options: TaskOptions(timeLimit: .seconds(3600))) { () in
            try await Task.sleep(for: .seconds(20))
        }
        try await withWorker(app) { _ in
            let options = EnqueueOptions(softTimeLimit: .milliseconds(20))
            let error = await thrown(TaskError.self) {
                try await task.enqueue(options: options).value(timeout: .seconds(10))
            }
            #expect(error?.type == "SoftTimeLimitExceeded")
        }
    }

    @Test("a soft limit is an error like others: the policy may repeat it")
    func softRetried() async throws {
        let options = TaskOptions(
            retry: .constant(maxRetries: 1, delay: .milliseconds(1)), softTimeLimit: .milliseconds(20))
        let task = app.task("t", options: options) { (context: TaskContext) in
            if context.attempt == 1 { try await Task.sleep(for: .seconds(20)) }
            return context.attempt
        }
        try await withWorker(app) { _ in
            let attempt = try await task.enqueue().value(timeout: .seconds(10))
            #expect(attempt == 2)
        }
    }

    @Test("a blocking body sees its cancellation in its context")
    func blocking() async throws {
        let task = app.blockingTask("t", options: TaskOptions(softTimeLimit: .milliseconds(30))) {
            (context: TaskContext) in
            let deadline = ContinuousClock.now + .seconds(20)
            while !context.isCancelled && ContinuousClock.now < deadline { usleep(1000) }
            try context.checkCancellation()
            return "nobody stopped me"
        }
        try await withWorker(app) { _ in
            let error = await thrown(TaskError.self) { try await task.enqueue().value(timeout: .seconds(15)) }
            #expect(error?.type == "SoftTimeLimitExceeded")
        }
    }
}
