// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// One JSON value, with the kinds that Python's `json` tells apart kept apart: `1` is not `1.0`, and no integer is rounded.
///
/// Use it where a task takes or returns "whatever the caller sent". Values with a type known at compile time are better
/// served by `Codable`: see ``encode(_:)`` and ``decode(_:from:limits:)-(_,[UInt8],_)``.
public enum JSON: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int)
    /// Decimal digits, with `-` in front if negative, of an integer that `Int` cannot hold.
    case bigInteger(String)
    /// A number that was written with a fraction or an exponent, or `NaN`, `Infinity`, `-Infinity`.
    case number(Double)
    case string(String)
    /// The UTF-16 units of a string with surrogates that have no partner, which Swift's `String` cannot hold.
    case unpaired([UInt16])
    case array([JSON])
    case object([String: JSON])
}

extension JSON {
    /// Whether this is `null`.
    public var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// The truth value, or nil if this is of another kind.
    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The integer, or nil if this is of another kind or does not fit.
    public var integer: Int? {
        if case .integer(let value) = self { value } else { nil }
    }

    /// The number as a `Double`, integers included, or nil if this is of another kind.
    public var number: Double? {
        switch self {
        case .number(let value): value
        case .integer(let value): Double(value)
        case .bigInteger(let digits): Double(digits)
        default: nil
        }
    }

    /// The text, with U+FFFD for each unpaired surrogate, or nil if this is of another kind.
    public var string: String? {
        switch self {
        case .string(let value): value
        case .unpaired(let units): String(decoding: units, as: UTF16.self)
        default: nil
        }
    }

    /// The elements, or nil if this is of another kind.
    public var array: [JSON]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The members, or nil if this is of another kind.
    public var object: [String: JSON]? {
        if case .object(let value) = self { value } else { nil }
    }

    /// The member of that name; nil if there is none or this is not an object.
    ///
    /// Setting it on anything but an object makes this an object; setting nil removes the member.
    public subscript(name: String) -> JSON? {
        get { object?[name] }
        set {
            var members = object ?? [:]
            members[name] = newValue
            self = .object(members)
        }
    }

    /// The element at that index; nil if there is none or this is not an array.
    public subscript(index: Int) -> JSON? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }
}

extension JSON {
    /// Whether it can be written as JSON that is strict: Python's NaN and Infinity cannot.
    package var isFinite: Bool {
        switch self {
        case .number(let value): value.isFinite
        case .array(let elements): elements.allSatisfy(\.isFinite)
        case .object(let members): members.values.allSatisfy(\.isFinite)
        default: true
        }
    }

    /// The same, with null for each number that strict JSON cannot write.
    package var strict: JSON {
        switch self {
        case .number(let value) where !value.isFinite: .null
        case .array(let elements): .array(elements.map(\.strict))
        case .object(let members): .object(members.mapValues(\.strict))
        default: self
        }
    }
}

extension JSON: CustomStringConvertible {
    /// Compact JSON text, keys sorted, ASCII only.
    public var description: String { String(decoding: encoded(), as: UTF8.self) }
}

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// `null`.
    public init(nilLiteral: ()) { self = .null }
    /// `true` or `false`.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// An integer.
    public init(integerLiteral value: Int) { self = .integer(value) }
    /// A number, with a fraction even if it is `.0`.
    public init(floatLiteral value: Double) { self = .number(value) }
    /// A string.
    public init(stringLiteral value: String) { self = .string(value) }
    /// An array.
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }

    /// An object; of members with the same name the last one counts.
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(Dictionary(elements) { _, last in last })
    }
}
