// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("JSON text")
struct JSONParsingTests {
    static let table: [(text: String, value: JSON, written: String)] = [
        ("null", JSON.null, "null"),
        (" true ", true, "true"),
        ("false", false, "false"),
        ("0", 0, "0"),
        ("-0", 0, "0"),
        ("9223372036854775807", .integer(.max), "9223372036854775807"),
        ("-9223372036854775808", .integer(.min), "-9223372036854775808"),
        ("9223372036854775808", .bigInteger("9223372036854775808"), "9223372036854775808"),
        ("-9223372036854775809", .bigInteger("-9223372036854775809"), "-9223372036854775809"),
        ("18446744073709551616", .bigInteger("18446744073709551616"), "18446744073709551616"),
        ("1180591620717411303424", .bigInteger("1180591620717411303424"), "1180591620717411303424"),
        ("1.0", 1.0, "1.0"),
        ("-0.0", -0.0, "-0.0"),
        ("1E5", 100_000.0, "100000.0"),
        ("1e+300", 1e300, "1e+300"),
        ("5e-324", .number(.leastNonzeroMagnitude), "5e-324"),
        ("0.1", 0.1, "0.1"),
        ("123456.789e-3", 123.456789, "123.456789"),
        ("9007199254740993.0", 9_007_199_254_740_992.0, "9007199254740992.0"),
        ("3.141592653589793238462643383279", 3.141592653589793, "3.141592653589793"),
        ("1e999", .number(.infinity), "Infinity"),
        ("0e999999999", 0.0, "0.0"),
        ("Infinity", .number(.infinity), "Infinity"),
        ("-Infinity", .number(-.infinity), "-Infinity"),
        (#""""#, "", #""""#),
        (#""a/b\/c""#, "a/b/c", #""a/b/c""#),
        (#""\"\\\b\f\n\r\t""#, "\"\\\u{8}\u{c}\n\r\t", #""\"\\\b\f\n\r\t""#),
        (#""€😀é""#, "€😀é", #""\u20ac\ud83d\ude00\u00e9""#),
        (#""\u20AC\ud83d\uDE00\u0000\u007f""#, "€😀\u{0}\u{7f}", #""\u20ac\ud83d\ude00\u0000\u007f""#),
        (#""\ud800""#, .unpaired([0xD800]), #""\ud800""#),
        (
            #""a\udc00\ud83d\ude00é\n\"""#,
            .unpaired([0x61, 0xDC00, 0xD83D, 0xDE00, 0xE9, 0x0A, 0x22]),
            #""a\udc00\ud83d\ude00\u00e9\n\"""#
        ),
        (#""\ud800\u0041""#, .unpaired([0xD800, 0x41]), #""\ud800A""#),
        ("[]", [], "[]"),
        ("[ 1 , [ ] , { } ]", [1, [], [:]], "[1,[],{}]"),
        (#"{ "b" : 1 , "a" : [ null ] }"#, ["b": 1, "a": [nil]], #"{"a":[null],"b":1}"#),
        (#"{"a": 1, "\u0061": 2}"#, ["a": 2], #"{"a":2}"#),
        (
            #"{"__type__": "nope", "__value__": 1}"#, ["__type__": "nope", "__value__": 1],
            #"{"__type__":"nope","__value__":1}"#
        ),
    ]

    @Test("of all kinds is read and written", arguments: table)
    func values(_ text: String, _ value: JSON, _ written: String) throws {
        #expect(try JSON(parsing: text) == value)
        #expect(value.encoded().text == written)
        #expect(try JSON(parsing: written) == value)
    }

    @Test("NaN is read and written")
    func notANumber() throws {
        let value = try JSON(parsing: "[NaN]")
        #expect(value[0]?.number?.isNaN == true)
        #expect(value.description == "[NaN]")
    }

    @Test(
        "that is broken is refused",
        arguments: [
            ("", 0), (" ", 1), ("nul", 0), ("True", 0), ("nan", 0), ("-NaN", 1), ("+1", 0), ("01", 0),
            ("-01", 1), ("1.", 2),
            (".5", 0), ("1e", 2), ("1e+", 3), ("-", 1), ("0x10", 1), ("[", 1), ("[1", 2), ("[1,", 3),
            ("[1,]", 3), ("[,]", 1),
            ("[1 2]", 3), ("{", 1), (#"{"a""#, 4), (#"{"a":"#, 5), (#"{"a":1,}"#, 7), ("{1:2}", 1),
            ("{'a':1}", 1),
            (#"{"a" 1}"#, 5), ("1 2", 2), ("[1]]", 3), (#"""#, 1), (#""abc"#, 4), (#""\x""#, 1),
            (#""\u12""#, 3),
            (#""\u12g4""#, 3), ("\"\\", 2), ("\"a\nb\"", 2), ("\"\u{0}\"", 1), ("[1}", 2),
            (#"{"a":1]"#, 6), ("\u{FEFF}1", 0),
        ])
    func broken(_ text: String, _ offset: Int) throws {
        let error = #expect(throws: JSONError.self) { try JSON(parsing: text) }
        #expect(error?.code == .malformed)
        #expect(error?.offset == offset, "\(text): \(error.map { "\($0)" } ?? "")")
    }

    @Test(
        "that is not UTF-8 is refused",
        arguments: [
            [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80],
            [0xE2, 0x82], [0xF0, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xE2, 0x28, 0xA1],
        ] as [[UInt8]])
    func notUTF8(_ bytes: [UInt8]) {
        for padding in [0, 8, 20] {
            let text = [0x22] + [UInt8](repeating: 0x61, count: padding) + bytes + [0x22]
            #expect(throws: JSONError.self) { try JSON(parsing: text) }
        }
    }

    @Test("in a slice is read within its bounds")
    func slices() throws {
        let bytes = Array("x[12]34".utf8)
        #expect(try JSON(parsing: bytes[1..<5]) == [12])
        #expect(try JSON(parsing: bytes[3..<4]) == 2)
        #expect(try JSON.decode(Int.self, from: bytes[5...]) == 34)
        #expect(throws: JSONError.self) { try JSON(parsing: bytes[1..<4]) }
    }

    @Test("may be nested as deep as the limit says, and no deeper")
    func depth() throws {
        func nested(_ levels: Int) -> String {
            String(repeating: #"{"a":["#, count: levels / 2) + String(repeating: "]}", count: levels / 2)
        }
        #expect(try JSON(parsing: nested(256)).object?.count == 1)
        let error = #expect(throws: JSONError.self) { try JSON(parsing: nested(1000)) }
        #expect(error?.code == .tooDeep)
        let deep = try JSON(parsing: nested(1000), limits: JSONLimits(depth: 1000))
        #expect(deep.encoded().text == nested(1000))
        #expect(throws: JSONError.self) { try JSON(parsing: String(repeating: "[", count: 1_000_000)) }
        #expect(throws: JSONError.self) { try JSON(parsing: "[1]", limits: JSONLimits(bytes: 2)) }
    }

    @Test("with strings of 20 MB takes time in proportion")
    func large() throws {
        let plain = JSON.string(String(repeating: "a", count: 20_000_000))
        #expect(try JSON(parsing: plain.encoded()) == plain)
        let escaped = JSON.string(String(repeating: "€\n", count: 2_000_000))
        #expect(try JSON(parsing: escaped.encoded()) == escaped)
    }

    @Test("strings of any length and content come back", arguments: 0..<40)
    func strings(_ count: Int) throws {
        for special in ["\"", "\\", "\n", "é", "😀", "\u{7f}", ""] {
            for place in 0...count {
                let text =
                    String(repeating: "x", count: place) + special
                    + String(repeating: "y", count: count - place)
                let bytes = JSON.string(text).encoded()
                #expect(bytes.allSatisfy { $0 < 0x80 })
                #expect(try JSON(parsing: bytes) == .string(text))
                #expect(try JSON.decode(String.self, from: bytes) == text)
            }
        }
    }

    @Test("numbers are read to the last bit")
    func numbers() throws {
        var generator = SeededGenerator(state: 5)
        for _ in 0..<20_000 {
            let value = Double(bitPattern: generator.next())
            guard value.isFinite else { continue }
            #expect(try JSON(parsing: value.description) == .number(value))
            let short = Double(Int.random(in: -99_999...99_999, using: &generator)) / 1000
            #expect(try JSON(parsing: short.description) == .number(short))
        }
    }

    @Test("is built and looked into with ease")
    func accessors() {
        var json: JSON = ["a": [1, "two", 3.5, true, nil], "b": ["c": "d"]]
        #expect(json["a"]?[0]?.integer == 1)
        #expect(json["a"]?[0]?.number == 1)
        #expect(json["a"]?[1]?.string == "two")
        #expect(json["a"]?[2]?.number == 3.5)
        #expect(json["a"]?[3]?.bool == true)
        #expect(json["a"]?[4]?.isNull == true)
        #expect(json["a"]?[5] == nil)
        #expect(json["x"]?["y"] == nil)
        json["b"]?["c"] = nil
        #expect(json["b"] == [:])
        #expect(JSON.unpaired([0xD800]).string == "\u{FFFD}")
        #expect(JSON.bigInteger("18446744073709551616").number == 18_446_744_073_709_551_616)
    }
}
