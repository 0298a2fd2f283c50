// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// kombu's envelope for what JSON has no kind for: `{"__type__": T, "__value__": V}`, exactly these two keys.
struct TypedValue {
    let type: String
    let value: JSON

    init?(_ json: JSON) {
        guard case .object(let members) = json, members.count == 2, case .string(let type)? = members["__type__"],
            let value = members["__value__"]
        else { return nil }
        self.type = type
        self.value = value
    }

    var isKnown: Bool { ["datetime", "date", "time", "decimal", "uuid", "bytes", "base64"].contains(type) }

    static func json(_ type: String, _ value: JSON) -> JSON {
        .object(["__type__": .string(type), "__value__": value])
    }
}

// MARK: Writing

extension TreeEncoder {
    /// The tree of a type that does not go through its own `encode(to:)`; nil for all others.
    static func bridge<Value: Encodable>(_ value: Value) -> JSON? {
        let type = Value.self
        if type == String.self { return (value as? String).map(JSON.string) }
        if type == Int.self { return (value as? Int).map(JSON.integer) }
        if type == Double.self { return (value as? Double).map(JSON.number) }
        if type == Bool.self { return (value as? Bool).map(JSON.bool) }
        if type == JSON.self { return value as? JSON }
        if type == Date.self { return (value as? Date).map(date) }
        if type == UUID.self { return (value as? UUID).map(uuid) }
        if type == Decimal.self { return (value as? Decimal).map(decimal) }
        if type == Data.self { return (value as? Data).map(data) }
        if type == URL.self { return (value as? URL).map { .string($0.absoluteString) } }
        return nil
    }

    private static func date(_ value: Date) -> JSON { TypedValue.json("datetime", .string(Timestamp.text(for: value))) }

    private static func uuid(_ value: UUID) -> JSON {
        TypedValue.json("uuid", ["hex": .string(value.uuidString.lowercased().filter { $0 != "-" })])
    }

    private static func decimal(_ value: Decimal) -> JSON { TypedValue.json("decimal", .string(value.description)) }

    private static func data(_ value: Data) -> JSON {
        if let text = String(validating: value, as: UTF8.self) { return TypedValue.json("bytes", .string(text)) }
        return TypedValue.json("base64", .string(Base64.encode(Array(value))))
    }
}

// MARK: Reading

extension TreeDecoder {
    /// The value of a type that does not go through its own `init(from:)`; nil for all others.
    func bridged<Value: Decodable>(_ type: Value.Type) throws -> Value? {
        if type == String.self { return try string() as? Value }
        if type == Int.self { return try integer(Int.self) as? Value }
        if type == Double.self { return try floatingPoint(Double.self) as? Value }
        if type == Bool.self { return try bool() as? Value }
        if type == JSON.self { return value as? Value }
        if type == Date.self { return try date() as? Value }
        if type == UUID.self { return try uuid() as? Value }
        if type == Decimal.self { return try decimal() as? Value }
        if type == Data.self { return try data() as? Value }
        if type == URL.self { return try url() as? Value }
        return nil
    }

    /// The text or value that stands for `type`: inside an envelope of one of these kinds, or bare.
    private func content(_ kinds: String..., for type: Any.Type) throws -> JSON {
        guard let typed = TypedValue(value) else { return value }
        guard kinds.contains(typed.type) else { throw mismatch(type) }
        return typed.value
    }

    private func date() throws -> Date {
        guard let text = try content("datetime", for: Date.self).string else { throw mismatch(Date.self) }
        guard let date = Timestamp.date(from: text) else {
            throw corrupted("expected a Date such as 2026-11-21T20:31:53.624442+00:00, found another string")
        }
        return date
    }

    private func uuid() throws -> UUID {
        let content = try content("uuid", for: UUID.self)
        guard let text = (content["hex"] ?? content).string else { throw mismatch(UUID.self) }
        var digits = Array(text.utf8)
        if digits.count == 32 {
            for index in [20, 16, 12, 8] { digits.insert(UInt8(ascii: "-"), at: index) }
        }
        guard let uuid = UUID(uuidString: String(decoding: digits, as: UTF8.self)) else {
            throw corrupted("expected a UUID of 32 hexadecimal digits, found another string")
        }
        return uuid
    }

    private func decimal() throws -> Decimal {
        let text: String
        switch try content("decimal", for: Decimal.self) {
        case .string(let value), .bigInteger(let value): text = value
        case .integer(let value): text = String(value)
        case .number(let value) where value.isFinite: text = value.description
        default: throw mismatch(Decimal.self)
        }
        guard let shape = DecimalShape(text), let decimal = Decimal(string: text) else {
            throw corrupted("expected a Decimal, found a string that is not a number")
        }
        guard shape.significantDigits <= 38 else {
            throw corrupted("the number has \(shape.significantDigits) digits, a Decimal holds 38")
        }
        return decimal
    }

    private func data() throws -> Data {
        guard let typed = TypedValue(value), let text = typed.value.string else { throw mismatch(Data.self) }
        switch typed.type {
        case "bytes": return Data(text.utf8)
        case "base64":
            guard let bytes = Base64.decode(text) else { throw corrupted("expected base64, found another string") }
            return Data(bytes)
        default: throw mismatch(Data.self)
        }
    }

    private func url() throws -> URL {
        guard let url = URL(string: try string()) else { throw corrupted("expected a URL, found another string") }
        return url
    }
}

/// The grammar of a decimal's text, which `Decimal` itself does not check to the end.
private struct DecimalShape {
    private(set) var significantDigits = 0

    init?(_ text: String) {
        var rest = text.utf8[...]
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        var digits = 0
        var hasPoint = false
        while let byte = rest.first {
            if byte &- UInt8(ascii: "0") < 10 {
                digits += 1
                if significantDigits > 0 || byte != UInt8(ascii: "0") { significantDigits += 1 }
            } else if byte == UInt8(ascii: "."), !hasPoint {
                hasPoint = true
            } else {
                break
            }
            rest.removeFirst()
        }
        guard digits > 0 else { return nil }
        guard let byte = rest.first else { return }
        guard byte | 0x20 == UInt8(ascii: "e") else { return nil }
        rest.removeFirst()
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        guard !rest.isEmpty, rest.count <= 3, rest.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }) else { return nil }
    }
}

extension CalendarDate: Codable {
    /// Reads kombu's `date`, or its bare text.
    public init(from decoder: any Decoder) throws {
        self = try decoder.typedText("date", expected: "a date such as 2026-11-21") { CalendarDate($0) }
    }

    /// Writes kombu's `date`.
    public func encode(to encoder: any Encoder) throws {
        try TypedValue.json("date", .string(description)).encode(to: encoder)
    }
}

extension ClockTime: Codable {
    /// Reads kombu's `time`, or its bare text. A time with an offset is refused.
    public init(from decoder: any Decoder) throws {
        self = try decoder.typedText("time", expected: "a time such as 12:30:01.5") { ClockTime($0) }
    }

    /// Writes kombu's `time`.
    public func encode(to encoder: any Encoder) throws {
        try TypedValue.json("time", .string(description)).encode(to: encoder)
    }
}

extension Decoder {
    fileprivate func typedText<Value>(
        _ type: String, expected: String, _ read: (String) -> Value?
    ) throws -> Value {
        let json = try JSON(from: self)
        let typed = TypedValue(json)
        if let typed, typed.type != type {
            throw DecodingError.typeMismatch(
                Value.self,
                DecodingError.Context(
                    codingPath: codingPath,
                    debugDescription: "expected \(expected), found a typed value (\(typed.type))"))
        }
        guard let text = (typed?.value ?? json).string, let value = read(text) else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: codingPath, debugDescription: "expected \(expected), found something else"))
        }
        return value
    }
}
