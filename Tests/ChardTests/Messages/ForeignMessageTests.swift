// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

/// What clients in other languages write, and what a worker makes of it: whatever Celery's worker runs, and what it drops or dies
/// of although there is only one thing that it can mean. What can mean two things is refused, with a word about what is right.
@Suite("Messages of clients in other languages")
struct ForeignMessageTests {
    /// A message for `sum(2, 3)`, with some of it exchanged.
    private func message(
        body: String = "[[2, 3], {}, {}]", base64: ((String) -> String)? = nil,
        contentType: String = "application/json",
        contentEncoding: String = "utf-8", eta: JSON = .null, expires: JSON = .null
    ) -> [UInt8] {
        let plain = Base64.encode(Array(body.utf8))
        let envelope: JSON = [
            "body": .string(base64?(plain) ?? plain), "content-type": .string(contentType),
            "content-encoding": .string(contentEncoding),
            "headers": ["task": "sum", "id": "one", "lang": "x", "eta": eta, "expires": expires],
            "properties": ["delivery_tag": "t", "body_encoding": "base64", "delivery_info": ["routing_key": "celery"]],
        ]
        return envelope.encoded()
    }

    private func arguments(_ payload: [UInt8]) throws -> Arguments {
        try TaskMessage(decoding: payload).decodeBody().arguments()
    }

    private func refusal(_ payload: [UInt8]) -> String? {
        let error = #expect(throws: MessageError.self) { try arguments(payload) }
        #expect(error?.partialID == "one")
        return error?.description
    }

    @Test(
        "PHP writes an empty object as an empty array, and a list whose places were touched as an object",
        arguments: [
            ("[[2, 3], {}, []]", Arguments([2, 3])),
            ("[[2, 3], [ ], {}]", Arguments([2, 3])),
            ("[[2, 3], [], [\n]]", Arguments([2, 3])),
            ("[{}, {\"x\": 2, \"y\": 3}, {}]", Arguments(keywords: ["x": 2, "y": 3])),
            ("[{\"0\": 2, \"1\": 3}, {}, {}]", Arguments([2, 3])),
            ("[{\"1\": 3, \"0\": 2}, [], []]", Arguments([2, 3])),
            (
                "[[2, 3], {}, {\"callbacks\": [], \"errbacks\": {}, \"chain\": [], \"chord\": []}]", Arguments([2, 3])
            ),
            ("{\"args\": {\"0\": 2}, \"kwargs\": []}", Arguments([2])),
        ])
    func php(_ body: String, _ expected: Arguments) throws {
        let payload = message(body: body)
        #expect(try arguments(payload) == expected)
        #expect(try TaskMessage(decoding: payload).decodeBody().embed.isEmpty)
    }

    @Test(
        "an object of arguments whose keys are no places is refused, with the right form",
        arguments: [
            "{\"x\": 2}", "{\"1\": 2}", "{\"0\": 2, \"2\": 3}", "{\"0\": 2, \"00\": 3}", "{\"0\": 1, \"x\": 2}",
        ])
    func noPlaces(_ positional: String) {
        let words = refusal(message(body: "[\(positional), {}, {}]"))
        #expect(words?.contains("whose keys are not 0, 1, 2 and so on, expected an array such as [2, 3]") == true)
    }

    @Test("an array of keyword arguments that holds something is refused")
    func keywordList() {
        #expect(
            refusal(message(body: "[[], [1], {}]"))
                == "bad-body: the keyword arguments must be an object, not an array")
        #expect(
            refusal(message(body: "[[], {}, [1]]"))?.contains("the third element of the body must be an object") == true
        )
    }

    @Test("Go writes a date that is not there as an empty text, in both protocols")
    func emptyDates() throws {
        let read = try TaskMessage(decoding: message(eta: "", expires: ""))
        #expect(read.eta == nil && read.expires == nil)
        let body = #"{"task": "sum", "id": "one", "args": [2, 3], "eta": "", "expires": ""}"#
        let old: JSON = [
            "body": .string(Base64.encode(Array(body.utf8))), "content-type": "application/json", "headers": [:],
            "properties": ["body_encoding": "base64"],
        ]
        let first = try TaskMessage(decoding: old.encoded())
        #expect(first.eta == nil && first.expires == nil)
        #expect(try first.decodeBody().arguments() == Arguments([2, 3]))
    }

    static let base64Forms: [(name: String, change: @Sendable (String) -> String)] = [
        ("MIME's lines, as Java and PHP break them", { text in text.chunks(of: 8).joined(separator: "\r\n") + "\r\n" }),
        ("lines of Unix", { text in text.chunks(of: 4).joined(separator: "\n") }),
        ("with blanks", { text in " " + text.chunks(of: 5).joined(separator: " \t") + " " }),
        ("without padding, as Go's raw encodings", { text in text.filter { $0 != "=" } }),
        (
            "for URLs",
            { text in String(text.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }).filter { $0 != "=" } }
        ),
        ("with something behind it, as Python passes over", { text in text + "\n\n" }),
    ]

    @Test("base64 in all its forms", arguments: base64Forms.indices, ["", "a", "ab", "ÿþ?>~"])
    func base64(_ form: Int, _ text: String) throws {
        let (name, change) = Self.base64Forms[form]
        let payload = message(body: "[[\"\(text)\"], {}, {}]", base64: change)
        #expect(try arguments(payload) == Arguments([.string(text)]), "\(name)")
    }

    @Test("base64 that is none is refused")
    func noBase64() {
        let cut = refusal(message(base64: { String($0.dropLast(3)) }))
        #expect(cut?.hasPrefix("bad-body: the body is not") == true)
        let nothing = refusal(message(base64: { _ in "A" }))
        #expect(nothing == "bad-body: the body is not base64, though properties.body_encoding says so")
    }

    @Test(
        "a content type may have parameters, and any case",
        arguments: [
            "application/json; charset=utf-8", "application/json;charset=UTF-8", "Application/JSON",
            " application/json ; charset = \"utf-8\"", "application/json;", "application/json; version=1",
        ])
    func contentTypes(_ type: String) throws {
        #expect(try arguments(message(contentType: type)) == Arguments([2, 3]))
    }

    @Test("of other content types, charsets and encodings it is said what was expected")
    func otherTypes() {
        #expect(
            refusal(message(contentType: "text/json; charset=utf-8"))
                == "unsupported-content-type: the content type is text/json; charset=utf-8, expected application/json")
        #expect(
            refusal(message(contentType: "application/json; charset=utf-16"))
                == "unsupported-encoding: the content type's charset is utf-16, expected utf-8")
        #expect(
            refusal(message(contentEncoding: "latin-1"))
                == "unsupported-encoding: the content encoding is latin-1, expected utf-8")
    }

    @Test("names of UTF-8 and of its part", arguments: ["UTF-8", "utf8", "utf_8", "ASCII", "binary", ""])
    func encodings(_ name: String) throws {
        #expect(try arguments(message(contentEncoding: name)) == Arguments([2, 3]))
    }

    @Test(
        "dates in ISO 8601's other forms",
        arguments: [
            "2020-W01-3T00:00:00Z", "20200101T000000Z", "2020-001", "2020-01-01T00", "2019-12-31T24:00:00+00:00",
        ])
    func dates(_ text: String) throws {
        let read = try TaskMessage(decoding: message(eta: .string(text)))
        #expect(read.eta == Date(timeIntervalSince1970: 1_577_836_800))
    }

    @Test("a number is no date: it is refused, with the text that was meant")
    func numbers() {
        #expect(
            refusal(message(expires: 4_102_444_800))
                == "bad-date: the header expires is the number 4102444800, and numbers are no dates in Celery's protocol: "
                + "seconds since 1970 are written 2100-01-01T00:00:00.000000+00:00")
        #expect(
            refusal(message(eta: 4_102_444_800_000))?.hasSuffix(
                "milliseconds since 1970 are written 2100-01-01T00:00:00.000000+00:00") == true)
        #expect(refusal(message(eta: "4102444800"))?.hasSuffix("are written 2100-01-01T00:00:00.000000+00:00") == true)
        #expect(
            refusal(message(eta: 30))
                == "bad-date: the header eta is 30, not an ISO-8601 time such as 2026-11-21T20:31:53+00:00")
        #expect(
            refusal(message(eta: "tomorrow"))
                == "bad-date: the header eta is \"tomorrow\", not an ISO-8601 time such as 2026-11-21T20:31:53+00:00")
        #expect(refusal(message(eta: []))?.hasPrefix("bad-date: the header eta is []") == true)
    }
}

extension String {
    fileprivate func chunks(of count: Int) -> [String] {
        stride(from: 0, to: self.count, by: count).map { String(dropFirst($0).prefix(count)) }
    }
}
