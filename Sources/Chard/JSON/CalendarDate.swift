// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A day without a time: Python's `datetime.date`, kombu's `{"__type__": "date"}`.
public struct CalendarDate: Sendable, Hashable, Comparable {
    /// 1 to 9999.
    public let year: Int
    /// 1 to 12.
    public let month: Int
    /// 1 to 31.
    public let day: Int

    /// A day of the Gregorian calendar in the years 1 to 9999; nil if there is none such.
    public init?(year: Int, month: Int, day: Int) {
        guard 1...9999 ~= year, 1...12 ~= month, 1...Self.days(in: month, of: year) ~= day else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    /// Reads `2026-11-21`.
    public init?(_ text: String) {
        var text = text
        let read = text.withUTF8 { buffer -> CalendarDate? in
            var reader = DigitReader(buffer)
            guard let day = CalendarDate(&reader), reader.isAtEnd else { return nil }
            return day
        }
        guard let read else { return nil }
        self = read
    }

    init?(_ reader: inout DigitReader) {
        guard let year = reader.number(width: 4), reader.take("-"), let month = reader.number(width: 2),
            reader.take("-"), let day = reader.number(width: 2)
        else { return nil }
        self.init(year: year, month: month, day: day)
    }

    /// Whether the first day comes before the second.
    public static func < (left: CalendarDate, right: CalendarDate) -> Bool {
        (left.year, left.month, left.day) < (right.year, right.month, right.day)
    }

    static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    // The two below count in years that begin in March, so that the leap day is the last one, and in eras of 400 years,
    // which all have the same number of days (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").

    init(daysSince1970 days: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    var daysSince1970: Int {
        let marchYear = month <= 2 ? year - 1 : year
        let era = (marchYear >= 0 ? marchYear : marchYear - 399) / 400
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension CalendarDate: CustomStringConvertible {
    /// `2026-11-21`.
    public var description: String {
        String(unsafeUninitializedCapacity: 10) { buffer in
            var digits = DigitWriter(buffer: buffer)
            digits.write(year, width: 4, then: "-")
            digits.write(month, width: 2, then: "-")
            digits.write(day, width: 2)
            return digits.count
        }
    }
}
