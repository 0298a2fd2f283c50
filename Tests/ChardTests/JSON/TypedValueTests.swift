// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Typed values of kombu")
struct TypedValueTests {
    private func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        try JSON.decode(type, from: Array(text.utf8))
    }

    private func roundTrip<Value: Codable & Equatable>(
        _ value: Value, _ type: String, _ inner: String
    ) throws {
        let text = #"{"__type__":"\#(type)","__value__":\#(inner)}"#
        #expect(try JSON.encode(value).text == text)
        #expect(try decode(Value.self, text) == value)
        #expect(try JSON.encode(["k": [value]]).text == #"{"k":[\#(text)]}"#)
        #expect(try decode([String: [Value?]].self, #"{"k":[\#(text),null]}"#) == ["k": [value, nil]])
    }

    @Test("are Swift's own types")
    func types() throws {
        let date = try #require(Timestamp.date(from: "2024-02-29T12:30:45.123456Z"))
        try roundTrip(date, "datetime", #""2024-02-29T12:30:45.123456+00:00""#)
        let uuid = try #require(UUID(uuidString: "12345678-1234-5678-1234-56781234ABCD"))
        try roundTrip(uuid, "uuid", #"{"hex":"1234567812345678123456781234abcd"}"#)
        try roundTrip(try #require(Decimal(string: "123.45")), "decimal", #""123.45""#)
        try roundTrip(Decimal(-7), "decimal", #""-7""#)
        try roundTrip(Data("hé".utf8), "bytes", #""h\u00e9""#)
        try roundTrip(Data(), "bytes", #""""#)
        try roundTrip(Data([0xFF, 0x00, 0xFE]), "base64", #""/wD+""#)
        try roundTrip(try #require(CalendarDate("2024-02-29")), "date", #""2024-02-29""#)
        try roundTrip(try #require(ClockTime("12:30:01.000005")), "time", #""12:30:01.000005""#)
        try roundTrip(try #require(ClockTime("12:30")), "time", #""12:30:00""#)
    }

    @Test("are read from bare values too")
    func bare() throws {
        #expect(
            try decode(Date.self, #""2024-02-29T12:30:00+05:30""#)
                == Timestamp.date(from: "2024-02-29T07:00:00Z"))
        let uuid = UUID(uuidString: "12345678-1234-5678-1234-567812345678")
        #expect(try decode(UUID.self, #""12345678-1234-5678-1234-567812345678""#) == uuid)
        #expect(try decode(UUID.self, #""12345678123456781234567812345678""#) == uuid)
        #expect(try decode(Decimal.self, "12") == 12)
        #expect(try decode(Decimal.self, "0.1") == Decimal(string: "0.1"))
        #expect(
            try decode(Decimal.self, "123456789012345678901234567890")
                == Decimal(string: "123456789012345678901234567890"))
        #expect(try decode(Decimal.self, #"{"__type__":"decimal","__value__":"1E+5"}"#) == 100_000)
        #expect(
            try decode(Decimal.self, #"{"__type__":"decimal","__value__":"123.4500"}"#)
                == Decimal(string: "123.45"))
        #expect(try decode(CalendarDate.self, #""2024-02-29""#).day == 29)
        #expect(try decode(URL.self, #""https://a.b/c?d=e""#).query() == "d=e")
        #expect(try JSON.encode(#require(URL(string: "https://a.b/c"))).text == #""https://a.b/c""#)
    }

    @Test(
        "of the wrong kind are refused",
        arguments: [
            #"{"__type__":"nope","__value__":1}"#, #"{"__type__":"time","__value__":"12:00:00"}"#, "[]",
            "true",
            #""nonsense""#, #"{"__type__":"datetime","__value__":5}"#,
            #"{"__type__":"uuid","__value__":{"hex":"12"}}"#,
            #"{"__type__":"decimal","__value__":"12abc"}"#,
            #"{"__type__":"decimal","__value__":"1e"}"#, #"{"__type__":"base64","__value__":"/wD"}"#,
            #"{"__type__":"date","__value__":"2023-02-29"}"#,
            #"{"__type__":"date","__value__":"2023-02-28","x":1}"#,
            #"{"__type__":"decimal","__value__":"123456789012345678901234567890123456789"}"#,
        ])
    func refused(_ text: String) {
        #expect(throws: DecodingError.self) { try decode(Date.self, text) }
        #expect(throws: DecodingError.self) { try decode(UUID.self, text) }
        #expect(throws: DecodingError.self) { try decode(Decimal.self, text) }
        #expect(throws: DecodingError.self) { try decode(Data.self, text) }
        #expect(throws: DecodingError.self) { try decode(CalendarDate.self, text) }
        #expect(throws: DecodingError.self) { try decode(Int.self, text) }
    }

    @Test("of an unknown type are named")
    func unknown() throws {
        let error = #expect(throws: DecodingError.self) {
            try decode([Date].self, #"[{"__type__":"nope","__value__":1}]"#)
        }
        #expect("\(try #require(error))".contains("nope"))
        let text = #"{"__type__":"nope","__value__":1}"#
        #expect(try JSON.encode(decode(JSON.self, text)).text == text)
    }

    @Test(
        "base64 is strict",
        arguments: ["A", "AA", "AAA", "=", "====", "A===", "AA=A", "AA==AAAA", "A-A=", "AA A", "!!!!"])
    func strictBase64(_ text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test("base64 of any length comes back")
    func base64() {
        var generator = SeededGenerator(state: 6)
        for count in 0..<100 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let text = Base64.encode(bytes)
            #expect(text == Data(bytes).base64EncodedString())
            #expect(Base64.decode(text) == bytes)
        }
    }
}
