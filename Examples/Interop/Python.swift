// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// Python's operators on what JSON carries: whole numbers stay whole, and a `float` makes the result one.
enum Python {
    /// `x + y` of numbers, texts or lists.
    static func add(_ x: JSON, _ y: JSON) throws -> JSON {
        switch (x, y) {
        case (.string(let x), .string(let y)): .string(x + y)
        case (.array(let x), .array(let y)): .array(x + y)
        default: try calculate(x, "+", y, { $0.addingReportingOverflow($1) }, +)
        }
    }

    /// `x * y` of numbers, or of a text or list and how often it is to be repeated.
    static func multiply(_ x: JSON, _ y: JSON) throws -> JSON {
        switch (x, y) {
        case (.string, _), (.array, _): try repeated(x, y)
        case (_, .string), (_, .array): try repeated(y, x)
        default: try calculate(x, "*", y, { $0.multipliedReportingOverflow(by: $1) }, *)
        }
    }

    private static func repeated(_ sequence: JSON, _ count: JSON) throws -> JSON {
        guard let count = try integer(count) else {
            throw TaskError("TypeError", "can't multiply sequence by non-int of type '\(typeName(count))'")
        }
        // A caller's number must not end the worker for want of memory.
        let length = sequence.string?.utf8.count ?? sequence.array?.count ?? 0
        guard count <= (1 << 28) / max(1, length) else { throw TaskError("MemoryError", "more than fits in here") }
        switch sequence {
        case .string(let text): return .string(String(repeating: text, count: max(0, Int(count))))
        case .array(let elements): return .array(Array(repeatElement(elements, count: max(0, Int(count))).joined()))
        default: return sequence
        }
    }

    /// Python's integers have no end; these end at 128 bits, and say so rather than lose digits.
    private static func calculate(
        _ x: JSON, _ sign: String, _ y: JSON,
        _ onIntegers: (Int128, Int128) -> (partialValue: Int128, overflow: Bool), _ onReals: (Double, Double) -> Double
    ) throws -> JSON {
        if let x = try integer(x), let y = try integer(y) {
            let (result, overflow) = onIntegers(x, y)
            guard !overflow else { throw tooLarge }
            return Int(exactly: result).map(JSON.integer) ?? .bigInteger(String(result))
        }
        guard let left = real(x), let right = real(y) else {
            throw TaskError(
                "TypeError", "unsupported operand type(s) for \(sign): '\(typeName(x))' and '\(typeName(y))'")
        }
        return .number(onReals(left, right))
    }

    private static func integer(_ value: JSON) throws -> Int128? {
        switch value {
        case .bool(let value): return value ? 1 : 0
        case .integer(let value): return Int128(value)
        case .bigInteger(let digits):
            guard let value = Int128(digits) else { throw tooLarge }
            return value
        default: return nil
        }
    }

    private static func real(_ value: JSON) -> Double? {
        value.bool.map { $0 ? 1 : 0 } ?? value.number
    }

    private static var tooLarge: TaskError {
        TaskError("OverflowError", "an integer beyond 128 bits; only Python calculates with those")
    }

    /// What `type(value).__name__` is in Python.
    static func typeName(_ value: JSON) -> String {
        switch value {
        case .null: "NoneType"
        case .bool: "bool"
        case .integer, .bigInteger: "int"
        case .number: "float"
        case .string, .unpaired: "str"
        case .array: "list"
        case .object: "dict"
        }
    }
}
