// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("Middleware around enqueue and run", .fewAtATime, .timeLimit(.minutes(3)))
struct MiddlewareTests {
    /// Writes down when it is entered and left, and lays a header into what is sent.
    struct Layer: Middleware {
        let name: String
        let log: Recorder<String>

        func enqueue(
            _ messages: [TaskMessage], next: @Sendable ([TaskMessage]) async throws -> Void
        ) async throws {
            log.add("+\(name) \(messages.map { $0.headers.keys.sorted().joined() })")
            try await next(
                messages.map { message in
                    var message = message
                    message.headers[name] = true
                    return message
                })
            log.add("-\(name)")
        }

        func run(_ context: TaskContext, next: @Sendable (TaskContext) async throws -> Void) async throws {
            log.add(">\(name)")
            defer { log.add("<\(name)") }
            try await next(context)
        }
    }

    /// Does what its closures say around each run.
    struct Around: Middleware {
        let body: @Sendable (TaskContext, @Sendable (TaskContext) async throws -> Void) async throws -> Void

        func run(_ context: TaskContext, next: @Sendable (TaskContext) async throws -> Void) async throws {
            try await body(context, next)
        }
    }

    struct Doorman: Middleware {
        func enqueue(
            _ messages: [TaskMessage], next: @Sendable ([TaskMessage]) async throws -> Void
        ) async throws {
            if messages.contains(where: { $0.task == "forbidden" }) { throw TaskError("Forbidden", "no") }
            try await next(messages.filter { $0.task != "dropped" })
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
                    try await next(context)
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

    @Test("one that neither goes on nor throws is a failure that names it")
    func silent() async throws {
        app.add(Around { _, _ in })
        let task = app.task("t") { () in }
        try await withWorker(app) { _ in
            let error = await thrown(TaskError.self) { try await task.enqueue().value(timeout: .seconds(20)) }
            #expect(error?.type == "MiddlewareError")
            #expect(error?.message == "Around ended without going on and without throwing")
        }
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
