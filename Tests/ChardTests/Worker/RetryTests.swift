// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Runs that are repeated", .fewAtATime, .timeLimit(.minutes(3)))
struct RetryTests {
    struct Flaky: Error, CustomStringConvertible {
        let description = "flaky"
    }

    static let quick = RetryPolicy.constant(maxRetries: 2, delay: .milliseconds(5))

    let app: Chard
    let broker: MemoryBroker

    init() {
        (app, broker) = makeApp()
    }

    @Test("an error brings a retry where the policy says so, until it goes well")
    func heals() async throws {
        let attempts = Recorder<String>()
        let task = app.task("t", options: TaskOptions(retry: Self.quick)) { (context: TaskContext) in
            attempts.add("\(context.attempt) \(context.id)")
            if context.attempt < 3 { throw Flaky() }
            return context.attempt
        }
        try await withWorker(app) { worker in
            let result = try await task.enqueue()
            #expect(try await result.value(timeout: .seconds(20)) == 3)
            #expect(attempts.all == ["1 \(result.id)", "2 \(result.id)", "3 \(result.id)"])
            #expect(worker.vitals.failed == 0)
        }
        #expect(try await broker.deadLetters(in: nil, limit: 10).isEmpty)
    }

    @Test("by default an error fails at once")
    func asked() async throws {
        let task = app.task("t") { () -> Int in throw Flaky() }
        try await withWorker(app) { _ in
            let error = await thrown(TaskError.self) { try await task.enqueue().value(timeout: .seconds(20)) }
            #expect(error?.type == "Flaky")
        }
        #expect(try await broker.deadLetters(in: nil, limit: 10).isEmpty)
    }

    @Test("the last permitted attempt fails with the error itself, and the message is kept")
    func exhausted() async throws {
        let task = app.task("t", options: TaskOptions(retry: Self.quick)) { () -> Int in throw Flaky() }
        try await withWorker(app) { _ in
            let result = try await task.enqueue()
            let error = await thrown(TaskError.self) { try await result.value(timeout: .seconds(20)) }
            #expect(error?.description == "Flaky: flaky")
            #expect(error?.traceback?.contains("attempt 3") == true)
            let letter = try #require(try await broker.deadLetter(result.id))
            #expect(letter.reason == .retriesExhausted)
            #expect(letter.attempts == 3)
            #expect(letter.error == "Flaky: flaky")
        }
    }

    @Test("a thrown Retry takes its own delay, and shows its cause meanwhile")
    func delayed() async throws {
        let task = app.task("t") { (context: TaskContext) in
            if context.attempt == 1 { throw Retry(after: .milliseconds(150), because: Flaky()) }
        }
        try await withWorker(app) { _ in
            let statuses = try await task.enqueue(options: EnqueueOptions(id: "id")).statuses()
            var seen: [TaskStatus] = []
            for try await status in statuses {
                seen.append(status)
                if status.state.isReady { break }
            }
            #expect(seen.map(\.state) == [.retry, .success])
            #expect(seen.first?.error?.description == "Flaky: flaky")
            #expect(seen.first?.dateDone == nil)
        }
    }

    @Test("a retry is a message of its own: one retry more, its ETA, the task itself as its parent")
    func message() async throws {
        let clock = ManualClock(Date().timeIntervalSince1970.rounded())
        var settings = Settings()
        settings.now = { clock.now }
        let recording = RecordingConsumerBroker()
        let app = Chard("app", broker: recording, settings: settings)
        let task = app.task("t") { (context: TaskContext, _: Int) in throw Retry(after: .seconds(3600)) }
        try await withWorker(app) { worker in
            let result = try await task.enqueue(7, options: EnqueueOptions(headers: ["h": 1]))
            try await eventually("it is settled") { worker.vitals.done == 1 }
            let settlement = try #require(recording.settled.first)
            #expect(settlement.effects.messages.count == 1)
            let follower = try #require(settlement.effects.messages.first)
            #expect(follower.dueAt == clock.now + 3600)
            #expect(follower.queue == "celery")
            let message = try TaskMessage(decoding: follower.payload)
            #expect(message.id == result.id)
            #expect(message.retries == 1)
            #expect(message.eta == clock.now + 3600)
            #expect(message.parentID == result.id)
            #expect(message.headers["h"] == 1)
            #expect(try message.decodeBody().arguments().positional == [7])
            let status = try await result.status()
            #expect(status.state == .retry)
            #expect(status.error?.type == "MaxRetriesExceededError")
        }
    }

    @Test("a thrown Retry without a delay takes the policy's")
    func policyDelay() async throws {
        let policy = RetryPolicy(
            maxRetries: 1, initialDelay: .milliseconds(5), maximumDelay: .seconds(1), factor: 1, jitter: false,
            onAnyError: false)
        let task = app.task("t", options: TaskOptions(retry: policy)) { (context: TaskContext) in
            if context.attempt == 1 { throw Retry() }
            return context.attempt
        }
        try await withWorker(app) { _ in
            let attempt = try await task.enqueue().value(timeout: .seconds(20))
            #expect(attempt == 2)
        }
    }

    @Test("a thrown Retry with no retries left fails with its cause, or with Celery's own error")
    func spent() async throws {
        let options = TaskOptions(retry: .never)
        let bare = app.task("bare", options: options) { () -> Int in throw Retry() }
        let caused = app.task("caused", options: options) { () -> Int in throw Retry(because: Flaky()) }
        try await withWorker(app) { _ in
            let result = try await bare.enqueue()
            let error = await thrown(TaskError.self) { try await result.value(timeout: .seconds(20)) }
            #expect(error?.type == "MaxRetriesExceededError")
            #expect(error?.module == "celery.exceptions")
            #expect(error?.message == "Can't retry bare[\(result.id)] after 0 retries")
            let cause = await thrown(TaskError.self) { try await caused.enqueue().value(timeout: .seconds(20)) }
            #expect(cause?.type == "Flaky")
        }
        #expect(
            try await broker.deadLetters(in: nil, limit: 10).map(\.reason) == [.retriesExhausted, .retriesExhausted])
    }

    @Test("the task decides about single errors before the policy does")
    func decisions() async throws {
        let options = TaskOptions(retry: Self.quick) { error in
            switch (error as? TaskError)?.type {
            case "Hopeless": .fail
            case "Moot": .discard
            case "Busy": .retry(after: .milliseconds(1))
            default: .asPolicy
            }
        }
        let attempts = Recorder<String>()
        let task = app.task("t", options: options) { (type: String) in
            attempts.add(type)
            throw TaskError(type, "")
        }
        try await withWorker(app) { worker in
            for type in ["Hopeless", "Busy", "Other"] {
                let error = await thrown(TaskError.self) { try await task.enqueue(type).value(timeout: .seconds(20)) }
                #expect(error?.type == type)
            }
            let done = worker.vitals.done
            let moot = try await task.enqueue("Moot")
            try await eventually("it is settled") { worker.vitals.done > done }
            #expect(try await broker.status(of: moot.id) == nil)
        }
        #expect(
            attempts.all == ["Hopeless"] + Array(repeating: "Busy", count: 3) + Array(repeating: "Other", count: 3) + [
                "Moot"
            ])
        #expect(try await broker.deadLetters(in: nil, limit: 10).count == 2)
    }

    @Test("a decision to retry goes before a policy that would not")
    func decidesOverPolicy() async throws {
        let options = TaskOptions { _ in .retry(after: .milliseconds(1)) }
        let task = app.task("t", options: options) { (context: TaskContext) in
            if context.attempt == 1 { throw Flaky() }
            return context.attempt
        }
        try await withWorker(app) { _ in
            let attempt = try await task.enqueue().value(timeout: .seconds(20))
            #expect(attempt == 2)
        }
    }

    @Test("a call's own policy wins over the task's")
    func callPolicy() async throws {
        let task = app.task("t", options: TaskOptions(retry: .never)) { (context: TaskContext) in
            if context.attempt < 3 { throw Flaky() }
            return context.attempt
        }
        try await withWorker(app) { _ in
            let patient = try await task.enqueue(options: EnqueueOptions(retry: Self.quick))
            #expect(try await patient.value(timeout: .seconds(20)) == 3)
            let error = await thrown(TaskError.self) { try await task.enqueue().value(timeout: .seconds(20)) }
            #expect(error?.type == "Flaky")
        }
    }
}
