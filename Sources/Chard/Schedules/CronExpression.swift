// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// Times by the calendar and the clock on the wall: cron's five fields (minute, hour, day of month, month, day of week), or
/// six with the second before them.
///
/// A field takes `*`, numbers, names (`MON`, `jan`), ranges (`9-17`, `FRI-MON`), steps (`*/15`, `0-30/10`) and lists with
/// commas. Sunday is 0 and 7. The day of month also takes `L` (the last one), `L-2` (two before it), `15W` (the weekday
/// nearest to the 15th) and `LW`; the day of week `5L` (the last Friday) and `2#3` (the third Tuesday). `@hourly`,
/// `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly` and `@annually` stand for the usual expressions.
public struct CronExpression: Sendable, Hashable, CustomStringConvertible {
    /// What holds where both the day of month and the day of week are restricted.
    public enum DayRule: String, Sendable, Hashable, Codable {
        /// Both must fit, as in Celery: `0 9 13 * 5` comes on each Friday the 13th.
        case both
        /// One of them is enough, as in Unix's cron: `0 9 13 * 5` comes on each 13th and on each Friday.
        case either
    }

    /// The expression as it was written.
    public let description: String
    let seconds: SmallSet
    let minutes: SmallSet
    let hours: SmallSet
    let days: CronDays

    /// Reads an expression.
    /// - Throws: ``ScheduleError`` that says which field is wrong, why, and what would be right; also if the expression
    ///   names a day that never comes, such as 30 February.
    public init(_ text: String, days rule: DayRule = .both) throws(ScheduleError) {
        let parser = try CronParser(text)
        description = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        seconds = parser.seconds
        minutes = parser.minutes
        hours = parser.hours
        var days = parser.days
        days.rule = rule
        self.days = days
        guard days.everComes else {
            throw ScheduleError(.neverComes, "\"\(text)\" never comes: \(Self.whyNever(days))")
        }
    }

    /// What holds where both kinds of days are restricted.
    public var dayRule: DayRule { days.rule }

    private static func whyNever(_ days: CronDays) -> String {
        var free = days
        free.weekdays = SmallSet(0...6)
        let months = days.months.numbers.map { CronField.months[$0 - 1] }.joined(separator: ", ")
        guard free.everComes else { return "no such day is in \(months) of any year" }
        return "the day of month and the day of week never fall together; with the day rule 'either' one is enough"
    }

    /// Whether it goes by real time rather than by the clock on the wall: every hour is meant.
    ///
    /// Only then does it come twice in an hour that is repeated, and not at all in one that is left out.
    var isByRealTime: Bool { hours.count == 24 }
}

// What follows counts seconds of the clock on the wall, as if its zone were UTC.
extension CronExpression {
    private static let lastDay = 2_932_896  // 9999-12-31
    private static let firstDay = -719_162  // 0001-01-01

    /// The first matching time from `time` on.
    func nextLocal(from time: Int) -> Int? {
        var day = max(Self.firstDay, time.floorDivided(by: 86_400))
        var second = max(0, time - day * 86_400)
        while day <= Self.lastDay {
            let date = CalendarDate(daysSince1970: day)
            if !days.months.contains(date.month) {
                day += CalendarDate.days(in: date.month, of: date.year) - date.day + 1
            } else {
                if days.contains(date), let match = nextTime(from: second) { return day * 86_400 + match }
                day += 1
            }
            second = 0
        }
        return nil
    }

    /// The last matching time up to `time`.
    func previousLocal(from time: Int) -> Int? {
        var day = min(Self.lastDay, time.floorDivided(by: 86_400))
        var second = min(86_399, time - day * 86_400)
        while day >= Self.firstDay {
            let date = CalendarDate(daysSince1970: day)
            if !days.months.contains(date.month) {
                day -= date.day
            } else {
                if days.contains(date), let match = previousTime(from: second) { return day * 86_400 + match }
                day -= 1
            }
            second = 86_399
        }
        return nil
    }

    private func nextTime(from time: Int) -> Int? {
        guard var hour = hours.next(from: time / 3600) else { return nil }
        if hour == time / 3600 {
            if var minute = minutes.next(from: time / 60 % 60) {
                if minute > time / 60 % 60 { return hour * 3600 + minute * 60 + (seconds.first ?? 0) }
                if let second = seconds.next(from: time % 60) { return hour * 3600 + minute * 60 + second }
                if let next = minutes.next(from: minute + 1) {
                    minute = next
                    return hour * 3600 + minute * 60 + (seconds.first ?? 0)
                }
            }
            guard let next = hours.next(from: hour + 1) else { return nil }
            hour = next
        }
        return hour * 3600 + (minutes.first ?? 0) * 60 + (seconds.first ?? 0)
    }

    private func previousTime(from time: Int) -> Int? {
        guard var hour = hours.previous(from: time / 3600) else { return nil }
        if hour == time / 3600 {
            if var minute = minutes.previous(from: time / 60 % 60) {
                if minute < time / 60 % 60 { return hour * 3600 + minute * 60 + (seconds.last ?? 0) }
                if let second = seconds.previous(from: time % 60) { return hour * 3600 + minute * 60 + second }
                if let previous = minutes.previous(from: minute - 1) {
                    minute = previous
                    return hour * 3600 + minute * 60 + (seconds.last ?? 0)
                }
            }
            guard let previous = hours.previous(from: hour - 1) else { return nil }
            hour = previous
        }
        return hour * 3600 + (minutes.last ?? 0) * 60 + (seconds.last ?? 0)
    }
}

extension Int {
    /// The quotient, rounded down also for negative numbers.
    func floorDivided(by divisor: Int) -> Int {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
