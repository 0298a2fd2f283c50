// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// Points in time as Celery writes them: ISO-8601 with microseconds and an offset.
public enum Timestamp {
    /// Reads `2026-11-21T20:31:53.624442+00:00` and whatever else of ISO 8601 Celery's workers read.
    ///
    /// Taken: a day as `2026-11-21`, `20261121`, `2026-325`, `2026-W47-6`, or the first one of `2026-W47`, `2026-11`, `2026`;
    /// alone (midnight), or with a time behind `T` or any other letter or space; `20:31:53`, `203153`, `20:31` or `20`, or
    /// `24:00`, which is the next midnight; a fraction of any length or none; `Z`, any offset or none (UTC). Nil if it is
    /// anything else, or no such date or time exists.
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
        guard let days = readDay(&reader) else { return nil }
        var time = (seconds: 0, microseconds: 0)
        var offset = 0
        if !reader.isAtEnd {
            guard reader.takeNoDigit(), let read = readTime(&reader), let readOffset = readOffset(&reader),
                reader.isAtEnd
            else { return nil }
            time = read
            offset = readOffset
        }
        let seconds = days * 86_400 + time.seconds - offset
        return Date(timeIntervalSince1970: Double(seconds) + Double(time.microseconds) / 1_000_000)
    }

    /// A day, in days since 1970.
    private static func readDay(_ reader: inout DigitReader) -> Int? {
        guard let year = reader.number(width: 4) else { return nil }
        let isSeparated = reader.take("-")
        if reader.take("W") { return readWeek(of: year, isSeparated, &reader) }
        switch (reader.digitsAhead, isSeparated) {
        case (0, false):
            return CalendarDate(year: year, month: 1, day: 1)?.daysSince1970
        case (3, _):
            guard let first = CalendarDate(year: year, month: 1, day: 1), let day = reader.number(width: 3),
                1...(CalendarDate.days(in: 2, of: year) + 337) ~= day
            else { return nil }
            return first.daysSince1970 + day - 1
        case (4, false), (2, true):
            guard let month = reader.number(width: 2) else { return nil }
            if isSeparated, !reader.take("-") { return CalendarDate(year: year, month: month, day: 1)?.daysSince1970 }
            return reader.number(width: 2).flatMap { CalendarDate(year: year, month: month, day: $0)?.daysSince1970 }
        default:
            return nil
        }
    }

    /// A week, which begins on a Monday, or a day of it: week 1 is the one with 4 January.
    private static func readWeek(of year: Int, _ isSeparated: Bool, _ reader: inout DigitReader) -> Int? {
        guard let fourth = CalendarDate(year: year, month: 1, day: 4)?.daysSince1970,
            let week = reader.number(width: 2), 1...53 ~= week
        else { return nil }
        // 1 January 1970 was a Thursday.
        let monday = fourth - ((fourth + 3) % 7 + 7) % 7 + (week - 1) * 7
        guard isSeparated ? reader.take("-") : reader.digitsAhead > 0 else { return monday }
        guard let day = reader.digit(), 1...7 ~= day else { return nil }
        return monday + day - 1
    }

    /// A time of day, in seconds and microseconds; what is finer is cut off.
    private static func readTime(_ reader: inout DigitReader) -> (seconds: Int, microseconds: Int)? {
        guard let hour = reader.number(width: 2), hour <= 24 else { return nil }
        var (minute, second, fraction) = (0, 0, 0)
        if reader.take(":") || reader.digitsAhead > 0 {
            guard let read = reader.number(width: 2), read < 60 else { return nil }
            minute = read
            if reader.take(":") || reader.digitsAhead > 0 {
                guard let read = reader.number(width: 2), read < 60 else { return nil }
                second = read
                if reader.take(".") || reader.take(",") {
                    guard let read = reader.microseconds() else { return nil }
                    fraction = read
                }
            }
        }
        if hour == 24, minute + second + fraction > 0 { return nil }
        return (hour * 3600 + minute * 60 + second, fraction)
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

    /// Takes one character that is no digit: whatever it is that separates a date from a time.
    mutating func takeNoDigit() -> Bool {
        guard index < text.count, text[index] &- UInt8(ascii: "0") >= 10, text[index] < 0x80 else { return false }
        index += 1
        return true
    }

    /// How many digits come next.
    var digitsAhead: Int {
        var end = index
        while end < text.count, text[end] &- UInt8(ascii: "0") < 10 { end += 1 }
        return end - index
    }

    /// A fraction of a second, of any length.
    mutating func microseconds() -> Int? {
        guard let first = digit() else { return nil }
        var (microseconds, unit) = (first * 100_000, 10_000)
        while let digit = digit() {
            microseconds += digit * unit
            unit /= 10
        }
        return microseconds
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
