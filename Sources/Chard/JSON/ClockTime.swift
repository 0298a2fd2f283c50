// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A time of day without a date or zone: Python's `datetime.time`, kombu's `{"__type__": "time"}`.
public struct ClockTime: Sendable, Hashable, Comparable {
    /// 0 to 23.
    public let hour: Int
    /// 0 to 59.
    public let minute: Int
    /// 0 to 59.
    public let second: Int
    /// 0 to 999,999.
    public let microsecond: Int

    /// Midnight.
    public init() {
        (hour, minute, second, microsecond) = (0, 0, 0, 0)
    }

    /// A time of day; nil if a part is out of its range. There are no leap seconds.
    public init?(hour: Int, minute: Int, second: Int = 0, microsecond: Int = 0) {
        guard 0..<24 ~= hour, 0..<60 ~= minute, 0..<60 ~= second, 0..<1_000_000 ~= microsecond else { return nil }
        self.hour = hour
        self.minute = minute
        self.second = second
        self.microsecond = microsecond
    }

    /// Reads `12:30`, `12:30:01` or `12:30:01.000005`; what is finer than a microsecond is cut off.
    public init?(_ text: String) {
        var text = text
        let read = text.withUTF8 { buffer -> ClockTime? in
            var reader = DigitReader(buffer)
            guard let time = ClockTime(&reader), reader.isAtEnd else { return nil }
            return time
        }
        guard let read else { return nil }
        self = read
    }

    init?(_ reader: inout DigitReader) {
        guard let hour = reader.number(width: 2), reader.take(":"), let minute = reader.number(width: 2) else {
            return nil
        }
        guard reader.take(":") else {
            self.init(hour: hour, minute: minute)
            return
        }
        guard let second = reader.number(width: 2) else { return nil }
        var microsecond = 0
        if reader.take(".") || reader.take(",") {
            guard let read = reader.microseconds() else { return nil }
            microsecond = read
        }
        self.init(hour: hour, minute: minute, second: second, microsecond: microsecond)
    }

    /// Whether the first time comes before the second.
    public static func < (left: ClockTime, right: ClockTime) -> Bool {
        (left.hour, left.minute, left.second, left.microsecond)
            < (right.hour, right.minute, right.second, right.microsecond)
    }
}

extension ClockTime: CustomStringConvertible {
    /// `12:30:01.000005`; no fraction if there is none.
    public var description: String {
        String(unsafeUninitializedCapacity: 15) { buffer in
            var digits = DigitWriter(buffer: buffer)
            digits.write(hour, width: 2, then: ":")
            digits.write(minute, width: 2, then: ":")
            digits.write(second, width: 2, then: microsecond > 0 ? "." : nil)
            if microsecond > 0 { digits.write(microsecond, width: 6) }
            return digits.count
        }
    }
}
