// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension [UInt8] {
    /// Adds the digits of a number: what `String(number)` has, without a string.
    package mutating func append(decimal number: Int) {
        if number < 0 { append(UInt8(ascii: "-")) }
        var rest = number.magnitude
        guard rest > 9 else { return append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest)) }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var place = digits.count
            repeat {
                place -= 1
                let tenth = rest / 10
                digits[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest - tenth * 10)
                rest = tenth
            } while rest > 0 && place > 0
            append(contentsOf: UnsafeBufferPointer(rebasing: digits[place...]))
        }
    }
}
