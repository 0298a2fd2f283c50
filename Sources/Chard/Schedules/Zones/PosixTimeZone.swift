// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The rule by which a zone goes on after the last change in its table: POSIX's `TZ` text, with the wider range of hours of
/// RFC 8536, 3.3.1. For example `CET-1CEST,M3.5.0,M10.5.0/3`.
struct PosixTimeZone: Hashable, Sendable {
    /// A day of each year, and the time on it.
    struct Turn: Hashable {
        enum Day: Hashable {
            /// Counted from 1, without the leap day.
            case julian(Int)
            /// Counted from 0, with the leap day.
            case ordinal(Int)
            /// The n-th such day of the week of a month; 5 is the last one.
            case weekday(month: Int, nth: Int, weekday: Int)
        }

        var day: Day
        /// Seconds of the clock on the wall before the turn; beyond a day, and negative ones, count from that day.
        var time = 7200

        func localTime(in year: Int) -> Int? {
            guard let january = CalendarDate(year: year, month: 1, day: 1)?.daysSince1970 else { return nil }
            switch day {
            case .julian(let number):
                let isLeap = CalendarDate.days(in: 2, of: year) == 29
                return (january + number - (isLeap && number >= 60 ? 0 : 1)) * 86_400 + time
            case .ordinal(let number):
                return (january + number) * 86_400 + time
            case .weekday(let month, let nth, let weekday):
                guard let first = CalendarDate(year: year, month: month, day: 1) else { return nil }
                var day = 1 + (weekday - first.weekday + 7) % 7 + (nth - 1) * 7
                while day > CalendarDate.days(in: month, of: year) { day -= 7 }
                return (first.daysSince1970 + day - 1) * 86_400 + time
            }
        }
    }

    /// Seconds east of UTC.
    var standardOffset = 0
    /// Seconds east of UTC in summer time, with its begin and end; `nil` where there is none.
    var summer: Summer?

    struct Summer: Hashable {
        var offset: Int
        var start: Turn
        var end: Turn
    }

    /// The changes of some years in order. Of two at the same time only the later counts.
    func changes(in years: ClosedRange<Int>) -> [TimeZoneRules.Change] {
        // Without summer time, the last offset of the table goes on.
        guard let summer else { return [] }
        var changes: [TimeZoneRules.Change] = []
        for year in years {
            if let start = summer.start.localTime(in: year) {
                changes.append(TimeZoneRules.Change(at: start - standardOffset, offset: summer.offset))
            }
            if let end = summer.end.localTime(in: year) {
                changes.append(TimeZoneRules.Change(at: end - summer.offset, offset: standardOffset))
            }
        }
        // Where summer time lasts all year, its end and its next begin fall together, and the begin wins.
        return changes.sorted {
            ($0.at, $1.offset == summer.offset ? 0 : 1) < ($1.at, $0.offset == summer.offset ? 0 : 1)
        }
    }
}

extension PosixTimeZone {
    /// Reads the text; `nil` if it is none.
    init?(_ text: some StringProtocol) {
        var reader = Reader(rest: Array(text.utf8)[...])
        guard reader.skipName(), let standard = reader.offset() else { return nil }
        standardOffset = -standard
        if reader.rest.isEmpty { return }
        guard reader.skipName() else { return nil }
        var offset = standardOffset + 3600
        if let first = reader.rest.first, first != UInt8(ascii: ",") {
            guard let read = reader.offset() else { return nil }
            offset = -read
        }
        guard reader.take(","), let start = reader.turn(), reader.take(","), let end = reader.turn(),
            reader.rest.isEmpty
        else { return nil }
        summer = Summer(offset: offset, start: start, end: end)
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard rest.first == UInt8(ascii: character) else { return false }
            rest.removeFirst()
            return true
        }

        /// `CET`, `<+0330>`.
        mutating func skipName() -> Bool {
            if take("<") {
                guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { return false }
                rest = rest[(end + 1)...]
                return true
            }
            let letters = rest.prefix { UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 | 0x20 }
            rest = rest.dropFirst(letters.count)
            return letters.count >= 3
        }

        mutating func number(_ range: ClosedRange<Int>) -> Int? {
            let digits = rest.prefix(3) { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
            rest = rest.dropFirst(digits.count)
            guard let number = Int(String(decoding: digits, as: UTF8.self)), range ~= number else { return nil }
            return number
        }

        /// `-1`, `5:30`, `+3:00:00`: seconds.
        mutating func offset() -> Int? {
            let sign = take("-") ? -1 : 1
            if sign == 1 { _ = take("+") }
            guard var seconds = number(0...167).map({ $0 * 3600 }) else { return nil }
            for unit in [60, 1] where take(":") {
                guard let part = number(0...59) else { return nil }
                seconds += part * unit
            }
            return sign * seconds
        }

        /// `M3.5.0/2`, `J60`, `0/24`.
        mutating func turn() -> Turn? {
            let day: Turn.Day
            if take("M") {
                guard let month = number(1...12), take("."), let nth = number(1...5), take("."),
                    let weekday = number(0...6)
                else { return nil }
                day = .weekday(month: month, nth: nth, weekday: weekday)
            } else if take("J") {
                guard let number = number(1...365) else { return nil }
                day = .julian(number)
            } else {
                guard let number = number(0...365) else { return nil }
                day = .ordinal(number)
            }
            var turn = Turn(day: day)
            if take("/") {
                guard let time = offset() else { return nil }
                turn.time = time
            }
            return turn
        }
    }
}

extension ArraySlice<UInt8> {
    fileprivate func prefix(_ limit: Int, while predicate: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        prefix(limit).prefix(while: predicate)
    }
}
