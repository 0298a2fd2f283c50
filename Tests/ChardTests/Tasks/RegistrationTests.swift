// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("Registering tasks of any shape")
struct RegistrationTests {
    let app = Chard("shop")

    @Test("typed bodies take none to three arguments")
    func counts() async throws {
        app.task("zero") { () in 7 }
        app.task("one") { (x: Int) in x * 2 }
        app.task("two") { (x: Int, text: String) in "\(text)\(x)" }
        app.task("three") { (x: Int, y: Double, flags: [Bool]) in [Double(x), y, Double(flags.count)] }
        #expect(app.problems.isEmpty)
        #expect(try await app.call("zero") == 7)
        #expect(try await app.call("one", [21]) == 42)
        #expect(try await app.call("two", [1, "n"]) == "n1")
        #expect(try await app.call("three", [1, 2.5, [true, false]]) == [1.0, 2.5, 2.0])
    }

    @Test("the context comes first where the body wants it")
    func context() async throws {
        app.task("zero") { (context: TaskContext) in context.id }
        app.task("one") { (context: TaskContext, x: Int) in "\(context.task) \(x)" }
        app.task("three") { (context: TaskContext, x: Int, y: Int, z: Int) in [x, y, z, context.attempt] }
        #expect(try await app.call("zero") == "id-1")
        #expect(try await app.call("one", [5]) == "one 5")
        #expect(try await app.call("three", [1, 2, 3]) == [1, 2, 3, 1])
    }

    @Test("optionals are results and arguments")
    func optionals() async throws {
        app.task("maybe") { (x: Int?) in x.map { $0 + 1 } }
        #expect(try await app.call("maybe", [1]) == 2)
        #expect(try await app.call("maybe", [nil]) == nil)
        #expect(try await app.call("maybe") == nil)
    }

    struct Order: Codable, Sendable {
        var item: String
        var count: Int?
    }

    @Test("a struct's fields come as keywords, and go as keywords")
    func keywords() async throws {
        let order = app.task("order", keywords: Order.self) { context, order in
            "\(order.count ?? 1) \(order.item) by \(context.id)"
        }
        #expect(try await app.call("order", keywords: ["item": "tea", "count": 3]) == "3 tea by id-1")
        #expect(try await app.call("order", keywords: ["item": "tea"]) == "1 tea by id-1")
        let body = try order.signature(Order(item: "tea", count: 2)).call.body
        #expect(body.positional.isEmpty)
        #expect(try body.arguments().keywords == ["item": "tea", "count": 2])
        let wrong = await app.bindingError("order", keywords: ["count": 3])
        #expect(wrong == "TypeError: order() arguments do not fit Order: the object has no key \"item\"")
        let positional = await app.bindingError("order", ["tea"])
        #expect(positional == "TypeError: order() takes keyword arguments only")
    }

    @Test("raw tasks take whatever comes")
    func raw() async throws {
        let raw = app.rawTask("raw") { _, arguments in arguments }
        let sent = Arguments([1, "x"], keywords: ["k": [nil]])
        #expect(
            try await app.call("raw", [1, "x"], keywords: ["k": [nil]]) == ["args": [1, "x"], "kwargs": ["k": [nil]]])
        #expect(try raw.signature(sent).call.body.arguments() == sent)
        #expect(try await app.call("raw") == ["args": [], "kwargs": [:]])
    }

    @Test("blocking bodies run on the pool's thread, with and without context")
    func blocking() async throws {
        app.blockingTask("plain") { (x: Int) in x + 1 }
        app.blockingTask("with context") { (context: TaskContext, x: Int) in "\(context.id) \(x)" }
        #expect(try await app.call("plain", [1]) == 2)
        #expect(try await app.call("with context", [1]) == "id-1 1")
        #expect(app.tasks.map(\.isBlocking) == [true, true])
        #expect(await app.bindingError("plain", ["x"]) != nil)
    }

    @Test("every way to register a task has one that returns nothing; its result is null")
    func nothing() async throws {
        let seen = Recorder<String>()
        app.task("task") { (x: Int) in seen.add("task \(x)") }
        app.task("context") { (context: TaskContext) in seen.add("context \(context.id)") }
        app.task("keywords", keywords: Order.self) { _, order in seen.add("keywords \(order.item)") }
        app.rawTask("raw") { _, arguments in seen.add("raw \(arguments.positional.count)") }
        app.blockingTask("blocking") { (x: Int) in seen.add("blocking \(x)") }
        app.blockingTask("both") { (_: TaskContext, x: Int) in seen.add("both \(x)") }
        #expect(try await app.call("task", [1]) == .null)
        #expect(try await app.call("context") == .null)
        #expect(try await app.call("keywords", keywords: ["item": "tea"]) == .null)
        #expect(try await app.call("raw", [1, 2]) == .null)
        #expect(try await app.call("blocking", [2]) == .null)
        #expect(try await app.call("both", [3]) == .null)
        #expect(seen.all == ["task 1", "context id-1", "keywords tea", "raw 2", "blocking 2", "both 3"])
        let blocking = app.tasks.filter { $0.isBlocking }
        #expect(blocking.map { $0.name } == ["blocking", "both"])
        // Whatever a task elsewhere returns, its caller does not want it.
        try app.reference("py.mail", taking: String.self).decodeOutput(Array(#"{"sent": 1}"#.utf8))
    }

    @Test("a reference sends typed arguments and reads typed results, and registers nothing")
    func reference() throws {
        let add = app.reference("py.add", taking: Int.self, Int.self, returning: Int.self)
        let signature = try add.signature(2, 3)
        #expect(signature.task == "py.add")
        #expect(try signature.call.body.arguments() == Arguments([2, 3]))
        #expect(try add.decodeOutput(Array("5".utf8)) == 5)
        #expect(throws: DecodingError.self) { try add.decodeOutput(Array("\"5\"".utf8)) }
        #expect(app.tasks.isEmpty)
    }

    @Test("tasks are listed by name with their signatures")
    func signatures() {
        app.task("b", parameters: ["x", .init("y", default: 3)]) { (x: Int, y: Int) in x + y }
        app.task("a") { (_: [String: Int], _: Bool?) in }
        app.rawTask("c") { _, _ in 1 }
        app.task("d", keywords: Order.self) { _, _ in 1 }
        #expect(app.tasks.map(\.name) == ["a", "b", "c", "d"])
        #expect(
            app.tasks.map(\.signature) == [
                ["Dictionary<String, Int>", "Optional<Bool>"], ["x: Int", "y: Int = 3"], ["*args", "**kwargs"],
                ["**Order"],
            ])
    }
}
