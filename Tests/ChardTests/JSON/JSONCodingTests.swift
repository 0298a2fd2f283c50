// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Codable by way of JSON")
struct JSONCodingTests {
    struct Point: Codable, Equatable {
        var x: Int
        var y: Double?
        var tags: [String: [Bool]]
    }

    enum Shape: Codable, Equatable {
        case circle(radius: Double)
        case none
    }

    enum Color: String, Codable { case red, green }

    final class Animal: Codable {
        var name = "cat"
    }

    /// Puts its parts where no synthesized type would.
    struct Odd: Codable, Equatable {
        enum Keys: String, CodingKey { case inner, list, base }
        var a = 1
        var b = [2, 3]
        var c = "base"

        init() {}

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            let inner = try container.nestedContainer(keyedBy: Keys.self, forKey: .inner)
            a = try inner.decode(Int.self, forKey: .inner)
            var list = try container.nestedUnkeyedContainer(forKey: .list)
            b = []
            while !list.isAtEnd {
                if try list.decodeNil() { continue }
                b.append(try list.decode(Int.self))
            }
            c = try String(from: container.superDecoder(forKey: .base))
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Keys.self)
            var inner = container.nestedContainer(keyedBy: Keys.self, forKey: .inner)
            var list = container.nestedUnkeyedContainer(forKey: .list)
            try c.encode(to: container.superEncoder(forKey: .base))
            try inner.encode(a, forKey: .inner)
            try list.encodeNil()
            for number in b { try list.encode(number) }
        }
    }

    private func roundTrip<Value: Codable & Equatable>(_ value: Value, _ text: String) throws {
        #expect(try JSON.encode(value).text == text)
        #expect(try JSON.decode(Value.self, from: JSON.encode(value)) == value)
        #expect(try JSON(encoding: value).decode(Value.self) == value)
    }

    @Test("values come back")
    func values() throws {
        try roundTrip(5, "5")
        try roundTrip("a\n€", #""a\n\u20ac""#)
        try roundTrip(1.0, "1.0")
        try roundTrip(Float(0.1), "0.1")
        try roundTrip(true, "true")
        try roundTrip([1, -2], "[1,-2]")
        try roundTrip([1.5, 2], "[1.5,2.0]")
        try roundTrip(["a", ""], #"["a",""]"#)
        try roundTrip([Int](), "[]")
        try roundTrip(Int?.none, "null")
        try roundTrip([1, nil], "[1,null]")
        try roundTrip(UInt8(255), "255")
        try roundTrip(UInt64.max, "18446744073709551615")
        try roundTrip(Int128.min, "-170141183460469231731687303715884105728")
        try roundTrip([1: "a"], #"{"1":"a"}"#)
        try roundTrip(["k": [[1]]], #"{"k":[[1]]}"#)
        try roundTrip(Point(x: 1, y: nil, tags: ["t": [true]]), #"{"tags":{"t":[true]},"x":1}"#)
        try roundTrip(Shape.circle(radius: 2), #"{"circle":{"radius":2.0}}"#)
        try roundTrip([Shape.none], #"[{"none":{}}]"#)
        try roundTrip([Color.red, .green], #"["red","green"]"#)
        try roundTrip(Odd(), #"{"base":"base","inner":{"inner":1},"list":[null,2,3]}"#)
        try roundTrip(JSON.object(["a": .unpaired([0xD800])]), #"{"a":"\ud800"}"#)
        try roundTrip(["j": JSON.bigInteger("99999999999999999999")], #"{"j":99999999999999999999}"#)
        #expect(try JSON.decode(Animal.self, from: JSON.encode(Animal())).name == "cat")
        #expect(try JSON.encode([Any?].self == Int.self ? 1 : 2).text == "2")
        #expect(try JSON.encode(Int?.some(3)).text == "3")
        #expect(try JSON.decode(Int?.self, from: Array("3".utf8)) == 3)
    }

    @Test("kinds are kept apart, and errors say what was found")
    func mismatches() throws {
        func message<Value: Decodable>(_ type: Value.Type, _ text: String) -> String {
            do {
                let value = try JSON.decode(type, from: Array(text.utf8))
                return "read \(value)"
            } catch let error as DecodingError {
                switch error {
                case .typeMismatch(_, let context), .valueNotFound(_, let context),
                    .keyNotFound(_, let context),
                    .dataCorrupted(let context):
                    let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
                    return path.joined(separator: ".") + "|" + context.debugDescription
                @unknown default: return "\(error)"
                }
            } catch {
                return "\(error)"
            }
        }
        #expect(message(Int.self, "1.0") == "|expected Int, found a number with a fraction or exponent")
        #expect(message(Int.self, "1e2") == "|expected Int, found a number with a fraction or exponent")
        #expect(message(Int.self, "true") == "|expected Int, found a boolean")
        #expect(message(Int.self, "null") == "|expected Int, found null")
        #expect(
            message(Int.self, "99999999999999999999")
                == "|the integer 99999999999999999999 does not fit into Int")
        #expect(message(UInt8.self, "256") == "|the integer 256 does not fit into UInt8")
        #expect(message(Double.self, "1") == "read 1.0")
        #expect(message(Double.self, "99999999999999999999") == "read 1e+20")
        #expect(message(Bool.self, "1") == "|expected Bool, found an integer")
        #expect(message(String.self, "1") == "|expected String, found an integer")
        #expect(message(String.self, #""\ud800x""#) == "read \u{FFFD}x")
        #expect(message([Int].self, #"[1,"2"]"#) == "[1]|expected Int, found a string")
        #expect(message([Int].self, "{}") == "|expected an array, found an object")
        #expect(message([String: [Int]].self, #"{"a":[1,null]}"#) == "a.[1]|expected Int, found null")
        #expect(message(Point.self, #"{"x":1}"#) == #"|the object has no key "tags""#)
        #expect(
            message(Point.self, #"{"x":1,"tags":{"t":[1]}}"#)
                == "tags.t.[0]|expected Bool, found an integer")
        #expect(message(Point.self, "3") == "|expected an object, found an integer")
        #expect(
            message(Point.self, #"{"__type__":"nope","__value__":1}"#)
                == #"|expected an object, found a typed value of the unknown type "nope""#)
        #expect(
            message([Int].self, #"[{"__type__":"decimal","__value__":"1"}]"#)
                == "[0]|expected Int, found a typed value (decimal)")
        #expect(message(Int.self, "1 2") == "|not JSON: expected the end at byte 2")
        #expect(message([Int].self, "[1,]") == "|not JSON: expected a value at byte 3")
        #expect(message(Color.self, #""blue""#).contains("blue"))
    }

    @Test("JSON values pass through any coder")
    func otherCoders() throws {
        let json: JSON = [
            "a": [1, 2.5, "x", true, nil, .bigInteger("18446744073709551616")], "b": ["c": [:]],
        ]
        let data = try JSONEncoder().encode(json)
        #expect(try JSONDecoder().decode(JSON.self, from: data) == json)
    }
}
