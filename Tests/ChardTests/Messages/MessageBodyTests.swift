// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("Bodies of messages")
struct MessageBodyTests {
    private func decode(_ text: String, limits: MessageLimits = .default) throws -> MessageBody {
        try MessageBody(decoding: Array(text.utf8), limits: limits)
    }

    @Test("are cut into pieces of text")
    func pieces() throws {
        let body = try decode(
            #" [ [ 1 , "a" , {"b": [2]} ] , { "k" : 1.0 , "\u20ac": null } , {"callbacks": null} ] "#)
        #expect(body.positional.map { Array($0).text } == ["1", #""a""#, #"{"b": [2]}"#])
        #expect(body.keywords.map(\.name) == ["k", "€"])
        #expect(body.keywords.map { Array($0.value).text } == ["1.0", "null"])
        #expect(body.embed.isEmpty)
    }

    @Test("of keywords with the same name the last one counts")
    func duplicates() throws {
        let body = try decode(#"[[], {"a": 1, "b": 2, "\u0061": 3}, {}]"#)
        #expect(body.keywords.map(\.name) == ["a", "b"])
        #expect(try body.arguments().keywords == ["a": 3, "b": 2])
    }

    @Test("names that only Swift takes for equal are refused: one of the values would be lost")
    func lookalikes() {
        let names = (#""\u00e9""#, #""e\u0301""#)
        #expect(throws: MessageError.self) { try decode("[[], {\(names.0): 1, \(names.1): 2}, {}]") }
        let object = "{\(names.0): 1, \(names.1): 2}"
        let error = #expect(throws: JSONError.self) { try JSON(parsing: object) }
        #expect(error?.description.contains("form of their characters") == true)
    }

    @Test("say what follows the task")
    func embed() throws {
        let body = try decode(
            #"[[], {}, {"callbacks": [{"task":"a"}], "errbacks": {"task":"b"}, "chord": { }}]"#)
        #expect(body.embed == Embed(callbacks: [["task": "a"]], errbacks: [["task": "b"]]))
        let all = Embed(callbacks: [1], errbacks: [2], chain: [3, 4], chord: ["task": "x"])
        let text = MessageBody(Arguments(), embed: all).encoded().text
        #expect(try decode(text).embed == all)
    }

    @Test("in the form of protocol 1 under headers of protocol 2")
    func hybrid() throws {
        let body = try decode(
            #"{"args": [1], "kwargs": {"x": 2}, "callbacks": [{"task":"a"}], "utc": true}"#)
        #expect(try body.arguments() == Arguments([1], keywords: ["x": 2]))
        #expect(body.embed == Embed(callbacks: [["task": "a"]]))
    }

    @Test(
        "are refused with words",
        arguments: [
            ("[null, {}, {}]", "the positional arguments must be an array, not null"),
            ("[[], null, {}]", "the keyword arguments must be an object, not null"),
            ("[[], {}]", "the body has 2 elements, expected 3"),
            ("[[], {}, {}, 1]", "the body has 4 elements, expected 3"),
            ("[[], {}, 1]", "the third element of the body must be an object, not a number"),
            ("[[], {}, {\"chain\": \"x\"}]", "what follows the task must be signatures, not a string"),
            ("1", "the body is neither an array nor an object"),
            ("{}", "the body is an object without args"),
            ("[[], {}, {}", "the body is not JSON"),
            ("", "the body is not JSON"),
        ])
    func refused(_ text: String, _ words: String) throws {
        let error = #expect(throws: MessageError.self) { try decode(text) }
        #expect(error?.code == .badBody)
        #expect(error?.message.hasPrefix(words) == true, "\(error?.message ?? "")")
    }

    @Test("may not be deeper or longer than the limits")
    func limits() throws {
        let deep =
            #"[["# + String(repeating: "[", count: 300) + String(repeating: "]", count: 300)
            + #"],{},{}]"#
        #expect(throws: MessageError.self) { try decode(deep) }
        #expect(try decode(deep, limits: MessageLimits(depth: 302)).positional.count == 1)
        #expect(throws: MessageError.self) {
            try decode("[[],{},{}]", limits: MessageLimits(bodyBytes: 9))
        }
    }

    @Test("stop growing when decompressed beyond the limit")
    func bomb() throws {
        let message = try TaskMessage(decoding: Fixture.message("task-v2-gzip"))
        #expect(try message.decodeBody().positional.first?.count == 202)
        let error = #expect(throws: MessageError.self) {
            try message.decodeBody(limits: MessageLimits(bodyBytes: 100))
        }
        #expect(error?.code == .tooLarge)
        #expect(error?.partialID == message.id)
    }

    @Test(
        "show arguments the way Python does",
        arguments: [
            ("[2, 3]", "(2, 3)"),
            ("[2]", "(2,)"),
            ("[]", "()"),
            (
                #"[null, true, false, 1.5, "a", [], [1, [2]], {}, {"a": "b"}]"#,
                "(None, True, False, 1.5, 'a', [], [1, [2]], {}, {'a': 'b'})"
            ),
            (
                #"["it's", "say \"x\"", "'\"", "a\\b\n\u0007€"]"#,
                #"("it's", 'say "x"', '\'"', 'a\\b\n\x07€')"#
            ),
            (
                "[NaN, -Infinity, 123456789012345678901234567890]",
                "(nan, -inf, 123456789012345678901234567890)"
            ),
        ])
    func texts(_ json: String, _ expected: String) throws {
        let array = try #require(try JSON(parsing: json).array)
        #expect(Arguments(array).positionalText == expected)
    }

    @Test("show no more than 1024 bytes")
    func longTexts() throws {
        let long = Arguments(
            [.string(String(repeating: "€", count: 5000))],
            keywords: ["k": .array(Array(repeating: 1, count: 9000))])
        #expect(long.positionalText.utf8.count <= 1024)
        #expect(long.positionalText.hasPrefix("('€€€"))
        #expect(long.positionalText.hasSuffix("€..."))
        #expect(long.keywordsText.hasPrefix("{'k': [1, 1, "))
        #expect(long.keywordsText.utf8.count == 1024)
    }
}
