// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Immediate mode", .timeLimit(.minutes(1)))
struct ImmediateTests {
    /// No broker: nothing leaves the process.
    private func app(_ failures: ImmediateFailures = .kept, settings: Settings = Settings()) -> Chard {
        let app = Chard("app", settings: settings)
        app.runImmediately(failures: failures)
        return app
    }

    @Test("an enqueue runs the task, and its result is there")
    func runs() async throws {
        let app = app()
        let runs = Recorder<Int>()
        let add = app.task("add") { (x: Int, y: Int) in
            runs.add(x)
            return x + y
        }
        let result = try await add.enqueue(2, 3)
        #expect(runs.all == [2] && result.placement == .ran)
        #expect(try await result.status().state == .success)
        #expect(try await result.value() == 5)
        #expect(try await app.result(of: result.id).value() == 5)
        #expect(try await add.result(of: result.id).value() == 5)
        let results = try await app.enqueue([add.signature(1, 1), add.signature(2, 2)])
        #expect(try await results[1].value() == 4)
        #expect(runs.all == [2, 1, 2])
    }

    @Test("calls by name bind as messages do; what does not fit, or is not there, fails as a message would")
    func byName() async throws {
        let app = app()
        app.task("add", parameters: ["x", .init("y", default: 10)]) { (x: Int, y: Int) in x + y }
        let sum = try await app.send("add", Arguments([], keywords: ["x": 1]))
        #expect(try await sum.value() == 11)
        let wrong = try await app.send("add", Arguments(["one"]))
        #expect(try await wrong.status().error?.type == "TypeError")
        let unknown = try await app.send("nobody.knows")
        #expect(try await unknown.status().error?.type == "NotRegistered")
    }

    @Test("failures are kept")
    func kept() async throws {
        let app = app(.kept)
        let task = app.task("t") { () throws -> Int in throw TaskError("ValueError", "boom") }
        let result = try await task.enqueue()
        let error = await thrown(TaskError.self) { try await result.value() }
        #expect(error?.description == "ValueError: boom" && error?.taskID == result.id)
    }

    @Test("failures are thrown, and what stands behind the one that failed does not run")
    func thrownFailures() async throws {
        let app = app(.thrown)
        let runs = Recorder<Int>()
        let task = app.task("t") { (number: Int) in
            runs.add(number)
            if number == 2 { throw TaskError("ValueError", "boom") }
        }
        let error = await thrown(TaskError.self) {
            try await app.enqueue([task.signature(1), task.signature(2), task.signature(3)])
        }
        #expect(error?.description == "ValueError: boom")
        #expect(runs.all == [1, 2])
        let silent = await thrown(TaskError.self) {
            try await task.enqueue(2, options: EnqueueOptions(ignoresResult: true))
        }
        #expect(silent?.type == "ValueError")
    }

    @Test("retries run at once, as many as the policy has, each an attempt of its own")
    func retries() async throws {
        let app = app()
        let attempts = Recorder<Int>()
        let policy = RetryPolicy.exponential(
            maxRetries: 3, initialDelay: .seconds(3_600), maximumDelay: .seconds(1 << 20))
        let task = app.task("t", options: TaskOptions(retry: policy)) { (context: TaskContext, successes: Int) in
            attempts.add(context.attempt)
            if context.attempt < successes { throw TaskError("ValueError", "attempt \(context.attempt)") }
            return context.attempt
        }
        #expect(try await task.enqueue(3).value() == 3)
        let lost = try await task.enqueue(9)
        #expect(attempts.all == [1, 2, 3, 1, 2, 3, 4])
        #expect(try await lost.status().error?.message == "attempt 4")
        let asked = app.task("asked") { (context: TaskContext) in
            guard context.attempt > 2 else { throw Retry(after: .seconds(86_400)) }
        }
        #expect(try await asked.enqueue().status().state == .success)
    }

    @Test("ETA and countdown count as over; what would have expired meanwhile has")
    func time() async throws {
        let clock = ManualClock()
        var settings = Settings()
        settings.now = { clock.now }
        let app = app(settings: settings)
        let task = app.task("t", options: TaskOptions(retry: .constant(maxRetries: 9, delay: .seconds(60)))) {
            (context: TaskContext) in
            if context.attempt < 3 { throw TaskError("ValueError", "not yet") }
            return context.message.eta.map { $0.timeIntervalSince(clock.now) }
        }
        let later = try await task.enqueue(options: EnqueueOptions(countdown: .seconds(3_600)))
        #expect(try await later.value() == 3_720)
        let expired = try await task.enqueue(options: EnqueueOptions(expires: .seconds(100)))
        #expect(try await expired.status().state == .revoked)
    }

    @Test("tasks that enqueue tasks run them at once, as their children")
    func nested() async throws {
        let app = app()
        let order = Recorder<String>()
        let inner = app.task("inner") { (context: TaskContext, number: Int) in
            order.add("inner \(number)")
            return context.message.parentID
        }
        let outer = app.task("outer") { (context: TaskContext) in
            order.add("begins")
            let parent = try await inner.enqueue(1).value()
            order.add("ends")
            return parent == context.id
        }
        #expect(try await outer.enqueue().value())
        #expect(order.all == ["begins", "inner 1", "ends"])
    }

    @Test("middleware stands around enqueue and run, and may refuse")
    func middleware() async throws {
        let app = app()
        let seen = Recorder<String>()
        app.add(Watching(seen: seen))
        let task = app.task("t") { (context: TaskContext) in
            seen.add("body")
            return context.headers["mark"]?.integer
        }
        #expect(try await task.enqueue().value() == 7)
        #expect(seen.all == ["enqueue", "run", "body", "ran", "enqueued"])
    }

    @Test("time limits hold, also for a body that goes on")
    func limits() async throws {
        let app = app()
        let gate = Gate()
        let soft = app.task("soft", options: TaskOptions(softTimeLimit: .milliseconds(20))) {
            try await Task.sleep(for: .seconds(60))
        }
        let hard = app.task("hard", options: TaskOptions(timeLimit: .milliseconds(20))) {
            await gate.passStubbornly()
        }
        let unhurried = app.task("unhurried", options: TaskOptions(timeLimit: .seconds(60))) { () in 1 }
        #expect(try await soft.enqueue().status().error?.type == "SoftTimeLimitExceeded")
        #expect(try await hard.enqueue().status().error?.type == "TimeLimitExceeded")
        #expect(try await unhurried.enqueue().value() == 1)
        gate.open()
    }

    @Test("bodies that block, progress, refusals and results too many")
    func others() async throws {
        let app = app()
        let blocking = app.blockingTask("blocking") { (x: Int) in x * 2 }
        #expect(try await blocking.enqueue(4).value() == 8)
        let progress = app.task("progress") { (context: TaskContext) in
            try await context.progress(1, of: 2)
            return try await app.result(of: context.id).status().state.rawValue
        }
        #expect(try await progress.enqueue().value() == "PROGRESS")
        let rejecting = app.task("rejecting") { (requeue: Bool) in throw Reject("no", requeue: requeue) }
        #expect(try await rejecting.enqueue(false).status().error?.type == "Reject")
        #expect(try await rejecting.enqueue(true).status().error?.type == "Reject")
        let ignoring = app.task("ignoring") { () in throw Ignore() }
        #expect(try await ignoring.enqueue().status().state == .pending)
    }

    @Test("a caller that is cancelled cancels the run")
    func cancelled() async throws {
        let app = app()
        let gate = Gate()
        for options in [TaskOptions(), TaskOptions(timeLimit: .seconds(60))] {
            let task = app.task("t\(options.timeLimit == nil)", options: options) { try await gate.pass() }
            let arrivals = gate.arrivals
            let caller = Task { try await task.enqueue().status().error?.type }
            try await eventually("it runs") { gate.arrivals > arrivals }
            caller.cancel()
            #expect(try await caller.value == "CancellationError")
        }
    }

    @Test("options that make no sense are refused as ever")
    func refused() async throws {
        let app = app()
        let task = app.task("t") { () in 1 }
        await #expect(throws: AppError.self) { try await task.enqueue(options: EnqueueOptions(priority: 11)) }
    }
}

private struct Watching: Middleware {
    let seen: Recorder<String>

    func enqueue(
        _ messages: [TaskMessage], next: @Sendable ([TaskMessage]) async throws -> Enqueued
    ) async throws -> Enqueued {
        seen.add("enqueue")
        var messages = messages
        for index in messages.indices { messages[index].headers["mark"] = 7 }
        let enqueued = try await next(messages)
        seen.add("enqueued")
        return enqueued
    }

    func run(
        _ context: TaskContext, next: @Sendable (TaskContext) async throws -> RunResult
    ) async throws -> RunResult {
        seen.add("run")
        let result = try await next(context)
        seen.add("ran")
        return result
    }
}
