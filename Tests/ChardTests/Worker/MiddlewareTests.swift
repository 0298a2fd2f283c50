// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Middleware around enqueue and run", .fewAtATime, .timeLimit(.minutes(3)))
struct MiddlewareTests {
    /// Writes down when it is entered and left, and lays a header into what is sent.
    struct Layer: Middleware {
        let name: String
        let log: Recorder<String>

        func enqueue(
            _ messages: [TaskMessage], next: @Sendable ([TaskMessage]) async throws -> Enqueued
        ) async throws -> Enqueued {
            log.add("+\(name) \(messages.map { $0.headers.keys.sorted().joined() })")
            let enqueued = try await next(
                messages.map { message in
                    var message = message
                    message.headers[name] = true
                    return message
                })
            log.add("-\(name)")
            return enqueued
        }

        func run(
            _ context: TaskContext, next: @Sendable (TaskContext) async throws -> RunResult
        ) async throws -> RunResult {
            log.add(">\(name)")
            defer { log.add("<\(name)") }
            return try await next(context)
        }
    }

    /// Does what its closures say around each run.
    struct Around: Middleware {
        let body: @Sendable (TaskContext, @Sendable (TaskContext) async throws -> RunResult) async throws -> RunResult

        func run(
            _ context: TaskContext, next: @Sendable (TaskContext) async throws -> RunResult
        ) async throws -> RunResult {
            try await body(context, next)
        }
    }

    struct Doorman: Middleware {
        func enqueue(
            _ messages: [TaskMessage], next: @Sendable ([TaskMessage]) async throws -> Enqueued
        ) async throws -> Enqueued {
            if messages.contains(where: { $0.task == "forbidden" }) { throw TaskError("Forbidden", "no") }
            return try await next(messages.filter { $0.task != "dropped" })
        }
    }

    /// Does what its closure says around each enqueue.
    struct AroundEnqueue: Middleware {
        typealias Next = @Sendable ([TaskMessage]) async throws -> Enqueued
        let body: @Sendable ([TaskMessage], Next) async throws -> Enqueued

        func enqueue(_ messages: [TaskMessage], next: Next) async throws -> Enqueued {
            try await body(messages, next)
        }
    }

    let app: Chard
    let broker: MemoryBroker
    let log = Recorder<String>()

    init() {
        (app, broker) = makeApp()
    }

    @Test("the first one added is the outermost, for sending and for running")
    func order() async throws {
        app.add(Layer(name: "a", log: log))
        app.add(Layer(name: "b", log: log))
        let task = app.task("t") { [log] (context: TaskContext) in
            log.add("body \(context.headers.keys.sorted().joined())")
        }
        try await task.enqueue()
        #expect(log.all == ["+a [\"\"]", "+b [\"a\"]", "-b", "-a"])
        try await withWorker(app) { worker in
            try await eventually("it has run") { worker.vitals.done == 1 }
        }
        #expect(log.all.dropFirst(4) == [">a", ">b", "body ab", "<b", "<a"])
    }

    @Test("one call of the middleware for a whole batch")
    func batch() async throws {
        app.add(Layer(name: "a", log: log))
        let task = app.task("t") { () in }
        try await app.enqueue([task.signature(), task.signature()])
        #expect(log.all == ["+a [\"\", \"\"]", "-a"])
    }

    @Test("one that refuses keeps the message from being sent")
    func refuses() async throws {
        app.add(Doorman())
        app.add(Layer(name: "inner", log: log))
        let error = await thrown(TaskError.self) { try await app.send("forbidden") }
        #expect(error?.type == "Forbidden")
        #expect(log.count == 0)
        #expect(try await broker.queues().isEmpty)
        try await app.send("dropped")
        #expect(try await broker.queues().isEmpty)
        try await app.send("fine")
        #expect(try await broker.queues().first?.waiting == 1)
    }

    @Test("one that refuses a run makes it fail, and the body does not start")
    func refusesRun() async throws {
        app.add(Around { _, _ in throw TaskError("Forbidden", "no") })
        app.add(Layer(name: "inner", log: log))
        let task = app.task("t") { [log] () in log.add("body") }
        try await withWorker(app) { _ in
            let error = await thrown(TaskError.self) { try await task.enqueue().value(timeout: .seconds(20)) }
            #expect(error?.type == "Forbidden")
        }
        #expect(!log.all.contains("body"))
    }

    @Test("it sees what the body threw, and may turn it into something else")
    func translates() async throws {
        app.add(
            Around { context, next in
                do {
                    return try await next(context)
                } catch let error as TaskError {
                    throw TaskError("Translated", error.message)
                }
            })
        let task = app.task("t") { () in throw TaskError("Original", "words") }
        try await withWorker(app) { _ in
            let error = await thrown(TaskError.self) { try await task.enqueue().value(timeout: .seconds(20)) }
            #expect(error?.description == "Translated: words")
        }
    }

    @Test("it sees what the body returned, and may put another result in its place")
    func results() async throws {
        app.add(Around { context, next in try RunResult(try await next(context).value(as: Int.self) * 2) })
        app.add(
            Around { context, next in
                context.headers["known"] == nil ? try await next(context) : try RunResult(50)
            })
        let task = app.task("t") { [log] (x: Int) in
            log.add("body")
            return x
        }
        try await withWorker(app) { _ in
            let doubled = try await task.enqueue(4).value(timeout: .seconds(20))
            let known = EnqueueOptions(headers: ["known": true])
            let replaced = try await task.enqueue(4, options: known).value(timeout: .seconds(20))
            #expect((doubled, replaced) == (8, 100))
        }
        #expect(log.all == ["body"])
    }

    @Test("whoever asks for the result of a message that was left out is told at once by whom")
    func dropped() async throws {
        app.add(Layer(name: "outer", log: log))
        app.add(Doorman())
        app.add(Layer(name: "inner", log: log))
        let results = try await app.enqueue(
            ["kept", "dropped", "kept"].map { Signature($0, options: EnqueueOptions(id: "\($0)-id")) })
        #expect(results.map(\.id) == ["kept-id", "dropped-id", "kept-id"])
        #expect(results.map(\.placement) == [.queued, nil, .queued])
        let words = "task dropped[dropped-id] was not sent: the middleware Doorman left its message out"
        for question: @Sendable (AsyncResult<JSON>) async throws -> Void in [
            { _ = try await $0.value() }, { _ = try await $0.finalStatus() }, { _ = try await $0.status() },
            { _ = try $0.statuses() },
        ] {
            let dropped = await thrown(MessageDropped.self) { try await question(results[1]) }
            #expect(dropped?.description == words)
        }
        #expect(try await results[0].status().state == .pending)
    }

    @Test("whoever leaves all out, and does not even go on, is named too")
    func allDropped() async throws {
        app.add(AroundEnqueue { _, _ in Enqueued() })
        let task = app.task("t") { () in 1 }
        for result in try await app.enqueue([task.signature(), task.signature()]) {
            let dropped = await thrown(MessageDropped.self) { try await result.value() }
            #expect(dropped?.middleware == "AroundEnqueue" && dropped?.task == "t" && dropped?.id == result.id)
        }
    }

    @Test(
        "a message that was given another id has its result there; added ones are nobody's, and order does not matter")
    func renamed() async throws {
        app.add(
            AroundEnqueue { messages, next in
                var changed = Array(messages.reversed())
                for index in changed.indices { changed[index].id = "new-\(changed[index].id)" }
                changed[0].ignoresResult = true
                let added = TaskMessage(task: "t", id: "added", body: MessageBody(Arguments([0])), queue: "celery")
                return try await next([added] + changed)
            })
        let task = app.task("t") { (x: Int) in x }
        let results = try await app.enqueue(
            (1...3).map { try task.signature($0, options: EnqueueOptions(id: "\($0)")) })
        #expect(results.map(\.id) == ["new-1", "new-2", "new-3"])
        try await withWorker(app) { worker in
            #expect(try await results[0].value(timeout: .seconds(20)) == 1)
            #expect(try await results[1].value(timeout: .seconds(20)) == 2)
            let refusal = await thrown(AppError.self) { try await results[2].value() }
            #expect(refusal != nil, "no result is kept of it")
            try await eventually("all have run") { worker.vitals.done == 4 }
        }
    }

    @Test("it is told what was sent and what became of it, also where it goes on in parts")
    func placements() async throws {
        let seen = Recorder<[Placement]>()
        let date = broker.settings.now() + 3600
        app.add(
            AroundEnqueue { messages, next in
                let enqueued = try await next(messages)
                seen.add(enqueued.placements)
                return enqueued
            })
        app.add(
            AroundEnqueue { messages, next in
                var enqueued = Enqueued()
                for message in messages { enqueued.append(try await next([message])) }
                return enqueued
            })
        let results = try await app.enqueue([
            Signature("t"), Signature("t", options: EnqueueOptions(eta: date)),
            Signature("t", options: EnqueueOptions(eta: date, workerHoldsETA: true)),
        ])
        #expect(seen.all == [[.queued, .delayed(until: date), .queued]])
        #expect(results.map(\.placement) == seen.all[0])
    }

    @Test("one without wishes changes nothing")
    func none() async throws {
        struct Nothing: Middleware {}
        app.add(Nothing())
        let task = app.task("t") { (x: Int) in x }
        try await withWorker(app) { _ in
            let value = try await task.enqueue(5).value(timeout: .seconds(20))
            #expect(value == 5)
        }
    }

    @Test("arguments that do not fit pass through it as an error, and are still told apart")
    func badArguments() async throws {
        app.add(Layer(name: "a", log: log))
        app.task("t") { (x: Int) in x }
        try await withWorker(app) { _ in
            let result = try await app.send("t", Arguments(["x"]))
            _ = try await result.finalStatus(timeout: .seconds(20))
            #expect(try await broker.deadLetter(result.id)?.reason == .badArguments)
        }
        #expect(log.all.filter { [">a", "<a"].contains($0) } == [">a", "<a"])
    }
}
