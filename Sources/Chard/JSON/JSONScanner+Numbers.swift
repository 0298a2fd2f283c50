// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A number as read: its value if that came cheap, else where its text stands.
enum NumberToken {
    case integer(Int)
    /// Digits of an integer beyond `Int`.
    case bigInteger(Range<Int>)
    case number(Double)
    /// Text of a number that needs the slow, exact conversion.
    case longNumber(Range<Int>)
}

extension JSONScanner {
    /// Passes the number that begins here, or one of `NaN`, `Infinity`, `-Infinity`.
    mutating func scanNumber() throws(JSONError) -> NumberToken {
        let start = position
        let isNegative = position < end && base[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        guard position < end else { throw unexpected("a value") }
        switch base[position] {
        case UInt8(ascii: "N") where !isNegative:
            try word("NaN")
            return .number(.nan)
        case UInt8(ascii: "I"):
            try word("Infinity")
            return .number(isNegative ? -.infinity : .infinity)
        default: break
        }
        var mantissa: UInt64 = 0
        var isExact = true
        let digits = try scanDigits(into: &mantissa, isExact: &isExact)
        if digits > 1, base[position - digits] == UInt8(ascii: "0") {
            throw unexpected("no zero before other digits", at: position - digits)
        }
        let byte = position < end ? base[position] : 0
        guard byte == UInt8(ascii: ".") || byte | 0x20 == UInt8(ascii: "e") else {
            if isExact, let value = integer(mantissa, isNegative: isNegative) { return .integer(value) }
            return .bigInteger(start..<position)
        }
        var exponent = 0
        if byte == UInt8(ascii: ".") {
            position += 1
            exponent = -(try scanDigits(into: &mantissa, isExact: &isExact))
        }
        if position < end, base[position] | 0x20 == UInt8(ascii: "e") { exponent += try scanExponent() }
        // Both numbers are exact as Double then, so the one operation rounds correctly.
        guard isExact, mantissa <= 1 << 53, (-22...22).contains(exponent) else { return .longNumber(start..<position) }
        let magnitude =
            exponent < 0 ? Double(mantissa) / powersOfTen[-exponent] : Double(mantissa) * powersOfTen[exponent]
        return .number(isNegative ? -magnitude : magnitude)
    }

    private mutating func scanDigits(into mantissa: inout UInt64, isExact: inout Bool) throws(JSONError) -> Int {
        let start = position
        while position < end {
            let digit = base[position] &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            if mantissa < UInt64.max / 10 - 1 {
                mantissa = mantissa &* 10 &+ UInt64(digit)
            } else {
                let (tenfold, tooMuch) = mantissa.multipliedReportingOverflow(by: 10)
                let (sum, overflow) = tenfold.addingReportingOverflow(UInt64(digit))
                mantissa = sum
                if tooMuch || overflow { isExact = false }
            }
            position += 1
        }
        guard position > start else { throw unexpected(start == 0 || isValueStart(start) ? "a value" : "a digit") }
        return position - start
    }

    private func isValueStart(_ offset: Int) -> Bool {
        let before = base[offset - 1]
        return before != UInt8(ascii: "-") && before != UInt8(ascii: ".")
    }

    private mutating func scanExponent() throws(JSONError) -> Int {
        position += 1
        var isNegative = false
        if position < end, base[position] == UInt8(ascii: "+") || base[position] == UInt8(ascii: "-") {
            isNegative = base[position] == UInt8(ascii: "-")
            position += 1
        }
        let start = position
        var exponent = 0
        while position < end {
            let digit = base[position] &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            if exponent < 1_000_000 { exponent = exponent * 10 + Int(digit) }
            position += 1
        }
        guard position > start else { throw unexpected("a digit") }
        return isNegative ? -exponent : exponent
    }

    private func integer(_ magnitude: UInt64, isNegative: Bool) -> Int? {
        guard isNegative else { return Int(exactly: magnitude) }
        if magnitude == UInt64(Int.max) + 1 { return Int.min }
        return Int(exactly: magnitude).map { -$0 }
    }

    func json(_ token: NumberToken) -> JSON {
        switch token {
        case .integer(let value): .integer(value)
        case .number(let value): .number(value)
        case .bigInteger(let range): .bigInteger(text(range))
        case .longNumber(let range): .number(longNumber(range))
        }
    }

    /// The correctly rounded value of a number's text; infinite if it is beyond `Double`, as in Python.
    func longNumber(_ range: Range<Int>) -> Double { Double(text(range)) ?? .nan }

    func text(_ range: Range<Int>) -> String {
        String(decoding: UnsafeBufferPointer(start: base + range.lowerBound, count: range.count), as: UTF8.self)
    }
}

/// The powers of ten that `Double` holds exactly.
private let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
    1e20, 1e21, 1e22,
]
