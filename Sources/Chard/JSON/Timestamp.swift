// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// Points in time as Celery writes them: ISO-8601 with microseconds and an offset.
public enum Timestamp {
    /// Reads `2026-11-21T20:31:53.624442+00:00` and its kin.
    ///
    /// Taken: `Z`, any offset or none (UTC); a fraction of any length or none; no seconds; a space for `T`; the date
    /// alone (midnight). Nil if it is anything else, or no such date or time exists.
    public static func date(from text: String) -> Date? {
        var text = text
        return text.withUTF8 { date(from: $0) }
    }

    /// `2026-11-21T20:31:53.624442+00:00`, rounded to the microsecond; times outside the years 1 to 9999, which Python
    /// cannot read, become the nearest one inside.
    public static func text(for date: Date) -> String {
        String(unsafeUninitializedCapacity: length) { write(date, to: $0) }
    }

    /// How many bytes ``write(_:to:)`` writes.
    static let length = 32

    /// Writes what ``text(for:)`` gives; returns how many bytes that were.
    static func write(_ date: Date, to buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
        let limited = max(-62_135_596_800, min(date.timeIntervalSince1970, 253_402_300_799))
        let total = Int64((limited * 1_000_000).rounded())
        let seconds = total.flooredDivision(by: 1_000_000)
        let days = seconds.flooredDivision(by: 86_400)
        let day = CalendarDate(daysSince1970: Int(days))
        let time = Int(seconds - days * 86_400)
        var digits = DigitWriter(buffer: buffer)
        digits.write(day.year, width: 4, then: "-")
        digits.write(day.month, width: 2, then: "-")
        digits.write(day.day, width: 2, then: "T")
        digits.write(time / 3600, width: 2, then: ":")
        digits.write(time / 60 % 60, width: 2, then: ":")
        digits.write(time % 60, width: 2, then: ".")
        digits.write(Int(total - seconds * 1_000_000), width: 6, then: "+")
        digits.write(0, width: 2, then: ":")
        digits.write(0, width: 2)
        return digits.count
    }

    static func date(from text: UnsafeBufferPointer<UInt8>) -> Date? {
        var reader = DigitReader(text)
        guard let day = CalendarDate(&reader) else { return nil }
        var time = ClockTime()
        var offset = 0
        if !reader.isAtEnd {
            guard reader.take("T") || reader.take(" ") || reader.take("t"), let read = ClockTime(&reader),
                let readOffset = readOffset(&reader), reader.isAtEnd
            else { return nil }
            time = read
            offset = readOffset
        }
        let seconds = day.daysSince1970 * 86_400 + time.hour * 3600 + time.minute * 60 + time.second - offset
        return Date(timeIntervalSince1970: Double(seconds) + Double(time.microsecond) / 1_000_000)
    }

    /// The offset from UTC in seconds: `Z`, `+05:30`, `+0530`, `+05`, or nothing.
    private static func readOffset(_ reader: inout DigitReader) -> Int? {
        if reader.isAtEnd || reader.take("Z") || reader.take("z") { return 0 }
        let sign: Int
        if reader.take("+") { sign = 1 } else if reader.take("-") { sign = -1 } else { return nil }
        guard let hours = reader.number(width: 2), hours < 24 else { return nil }
        if reader.isAtEnd { return sign * hours * 3600 }
        _ = reader.take(":")
        guard let minutes = reader.number(width: 2), minutes < 60 else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }
}

extension JSONWriter {
    /// Appends a point in time as a string.
    mutating func time(_ value: Date) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Timestamp.length) { buffer in
            let count = Timestamp.write(value, to: buffer)
            string(utf8: UnsafeBufferPointer(rebasing: buffer[..<count]))
        }
    }
}

extension Int64 {
    fileprivate func flooredDivision(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}

/// Reads numbers of fixed width.
struct DigitReader {
    private let text: UnsafeBufferPointer<UInt8>
    private var index = 0

    init(_ text: UnsafeBufferPointer<UInt8>) { self.text = text }

    var isAtEnd: Bool { index == text.count }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard index < text.count, text[index] == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    mutating func digit() -> Int? {
        guard index < text.count, case let digit = text[index] &- UInt8(ascii: "0"), digit < 10 else { return nil }
        index += 1
        return Int(digit)
    }

    mutating func number(width: Int) -> Int? {
        var number = 0
        for _ in 0..<width {
            guard let digit = digit() else { return nil }
            number = number * 10 + digit
        }
        return number
    }
}

/// Writes numbers of fixed width.
struct DigitWriter {
    let buffer: UnsafeMutableBufferPointer<UInt8>
    var count = 0

    mutating func write(_ number: Int, width: Int, then separator: Unicode.Scalar? = nil) {
        var rest = number
        for index in stride(from: count + width - 1, through: count, by: -1) {
            buffer[index] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        count += width
        if let separator {
            buffer[count] = UInt8(ascii: separator)
            count += 1
        }
    }
}
