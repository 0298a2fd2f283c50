// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("Requests of remote control")
struct ControlRequestTests {
    @Test("of real Celery clients are read, and written so that they say the same", arguments: Fixture.controlNames)
    func fixtures(_ name: String) throws {
        let sent = try #require(
            Fixture(name, in: "celery-control").publications.first { $0.channel == "/0.celery.pidbox" })
        let request = try ControlRequest(decoding: sent.payload)
        #expect(request.method == sent.body?["method"]?.string)
        #expect(JSON.object(request.arguments) == sent.body?["arguments"])
        let again = try KombuMessage(decoding: request.encoded(expires: 0))
        #expect(again.body == sent.body)
        #expect(again.headers["clock"] == .integer(request.clock))
        #expect(try ControlRequest(decoding: request.encoded(expires: 0)) == request)
    }

    @Test("there are fixtures of all that Flower and celery ask for")
    func count() {
        #expect(Fixture.controlNames.count >= 30)
    }

    static let bad: [String] = [
        "", "{", "[]", "17", "null", #"{"body":1}"#, #"{"body":"e30=","properties":{"body_encoding":"base64"}}"#,
        #"{"body":"not json"}"#, #"{"body":"{\"method\":1}"}"#, #"{"body":"{\"method\":\"ping\",\"arguments\":[1]}"}"#,
        #"{"body":"{\"method\":\"ping\",\"reply_to\":{\"exchange\":\"celery\",\"routing_key\":\"celery\"}}"}"#,
        #"{"body":"{\"method\":\"ping\",\"reply_to\":5}"}"#,
        #"{"body":"{\"method\":\"ping\",\"pattern\":\"a\",\"matcher\":\"magic\"}"}"#,
        #"{"body":"gASVDwAAAAAAAAB9lC4=","content-type":"application/x-python-serialize"}"#,
    ]

    @Test("that are nested too deeply are errors, too")
    func deep() {
        let text = #"{"body":""# + String(repeating: "[", count: 100_000) + #""}"#
        #expect(throws: MailboxError.self) { try ControlRequest(decoding: Array(text.utf8)) }
    }

    @Test("that make no sense are errors", arguments: bad)
    func malformed(_ text: String) {
        #expect(throws: MailboxError.self) { try ControlRequest(decoding: Array(text.utf8)) }
    }

    @Test("a logical clock never goes back, and believes no time that nobody can have counted up to")
    func clock() {
        let clock = LogicalClock()
        clock.adjust(to: 10)
        #expect(clock.now == 11)
        clock.adjust(to: 3)
        #expect(clock.forward() == 13)
        clock.adjust(to: .max)
        #expect(clock.forward() == 14)
    }
}

@Suite("Which workers are meant")
struct WorkerChoiceTests {
    @Test(
        "patterns match as in Python's fnmatch",
        arguments: [
            ("w*@pyhost", "w1@pyhost", true), ("w*@pyhost", "w1@other", false), ("*", "", true), ("?", "a", true),
            ("?", "", false), ("w[12]@h", "w2@h", true), ("w[12]@h", "w3@h", false), ("w[!12]@h", "w3@h", true),
            ("w[!12]@h", "w1@h", false), ("w[1-3]@h", "w2@h", true), ("w[1-3]@h", "w4@h", false), ("a[b", "a[b", true),
            ("[]]", "]", true), ("[!]]", "a", true), ("a*b*c", "a-b-b-c", true), ("a*b*c", "a-b-b", false),
            ("**a", "ba", true), ("a", "A", false), ("[3-1]", "2", false), ("[a-]", "-", true),
        ])
    func glob(_ pattern: String, _ node: String, _ matches: Bool) {
        #expect(WorkerChoice.matching(pattern, .glob).includes(node) == matches)
    }

    @Test("a pattern of many stars takes no time")
    func manyStars() {
        let pattern = String(repeating: "a*", count: 500) + "b"
        let start = ContinuousClock.now
        #expect(!WorkerChoice.matching(pattern, .glob).includes(String(repeating: "a", count: 2_000)))
        #expect(.now - start < .seconds(5))
    }

    @Test(
        "a regular expression is to match a name's beginning",
        arguments: [
            ("w[0-9]+@", "w12@h", true), ("w$", "w1", false), ("1", "w1", false), ("(", "(", false),
            ("w|x", "x9", true),
        ])
    func pcre(_ pattern: String, _ node: String, _ matches: Bool) {
        #expect(WorkerChoice.matching(pattern, .pcre).includes(node) == matches)
    }

    @Test("names are compared whole")
    func nodes() {
        #expect(WorkerChoice.nodes(["a@h", "b@h"]).includes("b@h"))
        #expect(!WorkerChoice.nodes(["a@h"]).includes("a@h2"))
        #expect(WorkerChoice.all.includes("anybody"))
    }
}
