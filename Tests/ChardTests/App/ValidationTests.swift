// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("Mistakes are told when the app is checked")
struct ValidationTests {
    let app = Chard("shop")

    @Test("nothing is wrong with an app that is set up well")
    func fine() throws {
        app.route("mail.*", to: "mail")
        app.task("add", parameters: ["x", .init("y", default: 1)]) { (x: Int, y: Int) in x + y }
        try app.validate()
    }

    @Test("all problems come at once, each names its task")
    func together() throws {
        app.task("twice") { () in 1 }
        app.task("twice") { () in 2 }
        app.task("") { () in 3 }
        app.route("", to: "q")
        app.route("x", to: "")
        #expect(
            app.problems == [
                "task twice is registered twice; names must be unique",
                "a task has the empty string as its name",
                "route \"\" to \"q\": neither may be empty",
                "route \"x\" to \"\": neither may be empty",
            ])
        let error = #expect(throws: AppError.self) { try app.validate() }
        #expect(error?.description.hasPrefix("shop is set up wrongly:\n- task twice") == true)
    }

    @Test("enqueueing and working check first")
    func checked() async throws {
        let (app, broker) = makeApp()
        let task = app.task("t", options: TaskOptions(priority: 10)) { () in 1 }
        let atEnqueue = await thrown(AppError.self) { try await task.enqueue() }
        let atWork = await thrown(AppError.self) { try await Worker(app, logger: quietLogger).run() }
        #expect(atEnqueue?.description.contains("task t: its priority is 10") == true)
        #expect(atWork?.description == atEnqueue?.description)
        #expect(try await broker.queues().isEmpty)
    }

    @Test("the number and names of parameters")
    func parameters() {
        app.task("few", parameters: ["x"]) { (x: Int, y: Int) in x + y }
        app.task("many", parameters: ["x", "y"]) { (x: Int) in x }
        app.task("same", parameters: ["x", "x"]) { (x: Int, y: Int) in x + y }
        app.blockingTask("blocking", parameters: ["x"]) { () in 1 }
        #expect(
            app.problems == [
                "task few: it declares 1 parameters, its body takes 2",
                "task many: it declares 2 parameters, its body takes 1",
                "task same: two parameters share a name",
                "task blocking: it declares 1 parameters, its body takes 0",
            ])
    }

    struct Unwritable: Encodable {
        func encode(to encoder: any Encoder) throws { throw TaskError("E", "no way to write this") }
    }

    @Test("defaults of the wrong type")
    func defaults() {
        app.task("text", parameters: [.init("x", default: "three")]) { (x: Int) in x }
        app.task("null", parameters: ["x", .init("y", default: Int?.none)]) { (x: Int, y: Int) in x + y }
        app.task("odd", parameters: [.init("x", default: Unwritable())]) { (x: Int) in x }
        #expect(
            app.problems == [
                "task text: the default of 'x' is no Int: expected Int, found a string",
                "task null: the default of 'y' is no Int: expected Int, found null",
                "task odd: the default of 'x' is no Int: E: no way to write this",
            ])
    }

    static let options: [(TaskOptions, String)] = [
        (TaskOptions(queue: ""), "its queue is the empty string"),
        (TaskOptions(priority: -1), "its priority is -1; 0 (first) to 9 (last) exist"),
        (TaskOptions(priority: 10), "its priority is 10; 0 (first) to 9 (last) exist"),
        (
            TaskOptions(softTimeLimit: .seconds(5), timeLimit: .seconds(5)),
            "its soft time limit (5.0 seconds) is not below its hard one (5.0 seconds), so it would never take effect"
        ),
        (TaskOptions(softTimeLimit: .zero), "its soft time limit is 0.0 seconds; it must be above zero"),
        (TaskOptions(timeLimit: .seconds(-1)), "its time limit is -1.0 seconds; it must be above zero"),
        (TaskOptions(expires: .zero), "its expires is 0.0 seconds; it must be above zero"),
        (TaskOptions(resultExpires: .zero), "its result expiry is 0.0 seconds; it must be above zero"),
        (
            TaskOptions(ignoresResult: true, tracksStart: true),
            "it ignores its result and tracks its start; a status is either kept or not"
        ),
        (
            TaskOptions(ignoresResult: true, resultExpires: .seconds(1)),
            "it ignores its result and says how long to keep it"
        ),
        (
            TaskOptions(retry: .constant(maxRetries: -1, delay: .zero)),
            "its retry policy: maxRetries is -1; it must be 0 or more"
        ),
        (
            TaskOptions(retry: .constant(maxRetries: 1, delay: .seconds(-1))),
            "its retry policy: a retry delay is negative"
        ),
        (
            TaskOptions(retry: .exponential(maxRetries: 1, initialDelay: .seconds(2), maximumDelay: .seconds(1))),
            "its retry policy: initialDelay (2.0 seconds) is longer than maximumDelay (1.0 seconds)"
        ),
        (
            TaskOptions(retry: .exponential(maxRetries: 1, factor: 0.5)),
            "its retry policy: factor is 0.5; it must be 1 or more"
        ),
        (
            TaskOptions(retry: .exponential(maxRetries: 1, factor: .nan)),
            "its retry policy: factor is nan; it must be 1 or more"
        ),
    ]

    @Test("options that make no sense", arguments: options)
    func badOptions(_ options: TaskOptions, _ problem: String) {
        app.task("t", options: options) { () in 1 }
        #expect(app.problems == ["task t: \(problem)"])
    }

    @Test("two mistakes of one task are two lines")
    func twoMistakes() {
        app.task("t", parameters: ["x"], options: TaskOptions(priority: 11)) { () in 1 }
        #expect(app.problems.count == 2)
    }

    static let worker: [(WorkerOptions, String)] = [
        (WorkerOptions(concurrency: 0), "the concurrency is 0; it must be at least 1"),
        (WorkerOptions(queues: ["a", ""]), "a queue's name is empty"),
        (WorkerOptions(queues: ["a", "b", "a"]), "a queue is named twice: a,b,a"),
    ]

    @Test("a worker's options", arguments: worker)
    func workerOptions(_ options: WorkerOptions, _ problem: String) async {
        let worker = Worker(makeApp().app, options: options, logger: quietLogger)
        let error = await thrown(AppError.self) { try await worker.run() }
        #expect(error?.description == "worker \(worker.node): \(problem)")
    }

    @Test("an app without a broker says how to set one")
    func noBroker() async {
        let task = app.task("t") { () in 1 }
        let error = await thrown(AppError.self) { try await task.enqueue() }
        #expect(error?.description.hasPrefix("shop: no broker is set; pass one to Chard(_:broker:)") == true)
    }
}
