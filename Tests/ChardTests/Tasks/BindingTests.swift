// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("Arguments bind as in Python")
struct BindingTests {
    struct Call: Sendable, CustomTestStringConvertible {
        var positional: [JSON] = []
        var keywords: [String: JSON] = [:]
        var outcome: String
        var testDescription: String { "\(Arguments(positional, keywords: keywords).positionalText) \(keywords)" }
    }

    let app: Chard

    init() {
        app = Chard("binding")
        app.task("f", parameters: ["a", "b", .init("c", default: 30), "d"]) {
            (a: Int, b: String, c: Int, d: [Int]?) in "\(a) \(b) \(c) \(d.map { "\($0)" } ?? "-")"
        }
        app.task("bare") { (a: Int, b: Int?) in "\(a) \(b.map(String.init) ?? "-")" }
        app.task("none") { () in "ran" }
    }

    static let good: [Call] = [
        Call(positional: [1, "x", 3, [4]], outcome: "1 x 3 [4]"),
        Call(positional: [1, "x"], outcome: "1 x 30 -"),
        Call(positional: [1], keywords: ["b": "x"], outcome: "1 x 30 -"),
        Call(keywords: ["b": "x", "a": 1, "d": [], "c": 5], outcome: "1 x 5 []"),
        Call(positional: [1, "x"], keywords: ["d": [4]], outcome: "1 x 30 [4]"),
        Call(positional: [1, "x", 3, nil], outcome: "1 x 3 -"),
        Call(positional: [1], keywords: ["b": "x", "d": nil], outcome: "1 x 30 -"),
    ]

    @Test("by position, by keyword, by default, and absent optionals", arguments: good)
    func binds(_ call: Call) async throws {
        #expect(try await app.call("f", call.positional, keywords: call.keywords) == .string(call.outcome))
    }

    @Test("a task without parameters binds by position alone")
    func bare() async throws {
        #expect(try await app.call("bare", [1]) == "1 -")
        #expect(try await app.call("bare", [1, 2]) == "1 2")
        #expect(try await app.call("none") == "ran")
        #expect(
            await app.bindingError("bare", [1], keywords: ["b": 2])
                == "TypeError: bare() got an unexpected keyword argument 'b'; it names no parameters")
    }

    static let bad: [Call] = [
        Call(outcome: "f() is missing argument 1 'a' of type Int"),
        Call(positional: [1], outcome: "f() is missing argument 2 'b' of type String"),
        Call(keywords: ["b": "x"], outcome: "f() is missing argument 1 'a' of type Int"),
        Call(positional: [1, "x", 3, [4], 5], outcome: "f() takes 4 arguments but 5 were given"),
        Call(
            positional: [1, "x"], keywords: ["e": 5],
            outcome: "f() got an unexpected keyword argument 'e'; it takes 'a', 'b', 'c', 'd'"),
        Call(positional: [1, "x"], keywords: ["a": 5], outcome: "f() got multiple values for argument 'a'"),
        Call(positional: ["1", "x"], outcome: "f() argument 1 'a' must be Int: expected Int, found a string"),
        Call(
            positional: [1.0, "x"],
            outcome: "f() argument 1 'a' must be Int: expected Int, found a number with a fraction or exponent"),
        Call(
            positional: [1], keywords: ["b": 2],
            outcome: "f() argument 2 'b' must be String: expected String, found an integer"),
        Call(positional: [1, "x", nil], outcome: "f() argument 3 'c' must be Int: expected Int, found null"),
        Call(
            positional: [1, "x"], keywords: ["d": [1, "2"]],
            outcome: "f() argument 4 'd' must be Optional<Array<Int>>: at [1]: expected Int, found a string"),
    ]

    @Test("what does not fit is a TypeError that names task, argument and type", arguments: bad)
    func refuses(_ call: Call) async {
        #expect(await app.bindingError("f", call.positional, keywords: call.keywords) == "TypeError: " + call.outcome)
    }

    @Test("one argument is told in the singular")
    func singular() async {
        app.task("single") { (a: Int) in a }
        #expect(
            await app.bindingError("single", [1, 2]) == "TypeError: single() takes 1 argument but 2 were given")
        #expect(await app.bindingError("none", [1]) == "TypeError: none() takes 0 arguments but 1 were given")
        #expect(await app.bindingError("bare") == "TypeError: bare() is missing argument 1 of type Int")
    }

    @Test("a body's own TypeError is told apart from arguments that do not fit")
    func ownErrors() async {
        app.task("own") { (_: Int) -> Int in throw TaskError("TypeError", "mine") }
        #expect(await app.bindingError("own", [1]) == nil)
        let error = await thrown(TaskError.self) { try await app.call("own", [1]) }
        #expect(error?.description == "TypeError: mine")
    }
}
