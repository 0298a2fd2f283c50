// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The days that a cron expression means: its last three fields.
struct CronDays: Hashable, Sendable {
    var months = SmallSet(1...12)

    /// Days by their number.
    var days = SmallSet(1...31)
    /// Days before the end of the month: 0 is the last one.
    var fromLast = SmallSet()
    /// Days of the month to whose nearest weekday (Monday to Friday) of the same month is gone.
    var nearestWeekdays = SmallSet()
    /// The last Monday to Friday of the month.
    var isLastWeekday = false

    /// Days of the week; Sunday is 0.
    var weekdays = SmallSet(0...6)
    /// Days of the week of which the last one of the month is meant.
    var lastWeekdays = SmallSet()
    /// The n-th such day of the week: n * 7 + day of the week.
    var nthWeekdays = SmallSet()

    /// What days of the month and days of the week have to do with each other.
    var rule = CronExpression.DayRule.both

    var restrictsDayOfMonth: Bool {
        days.count < 31
    }

    var restrictsDayOfWeek: Bool {
        weekdays.count < 7
    }

    func contains(_ date: CalendarDate) -> Bool {
        guard months.contains(date.month) else { return false }
        switch rule {
        case .either where restrictsDayOfMonth && restrictsDayOfWeek:
            return isOnDayOfMonth(date) || isOnDayOfWeek(date)
        default:
            return isOnDayOfMonth(date) && isOnDayOfWeek(date)
        }
    }

    private func isOnDayOfMonth(_ date: CalendarDate) -> Bool {
        if days.contains(date.day) { return true }
        if fromLast.isEmpty && nearestWeekdays.isEmpty && !isLastWeekday { return false }
        let last = CalendarDate.days(in: date.month, of: date.year)
        if fromLast.contains(last - date.day) { return true }
        let weekday = date.weekday
        guard 1...5 ~= weekday else { return false }
        // A Friday stands for the weekend behind it where that ends the month, so for up to two days.
        if isLastWeekday, date.day == last || weekday == 5 && date.day + 2 >= last { return true }
        return nearestWeekdays.numbers.contains { day in
            guard day <= last else { return false }
            switch (date.weekday(ofDay: day), day) {
            case (6, 1): return date.day == 3
            case (6, _): return date.day == day - 1
            case (0, last): return date.day == day - 2
            case (0, _): return date.day == day + 1
            default: return date.day == day
            }
        }
    }

    private func isOnDayOfWeek(_ date: CalendarDate) -> Bool {
        let weekday = date.weekday
        if weekdays.contains(weekday) { return true }
        if nthWeekdays.contains((date.day + 6) / 7 * 7 + weekday) { return true }
        return lastWeekdays.contains(weekday) && date.day + 7 > CalendarDate.days(in: date.month, of: date.year)
    }

    /// Whether any day of any year fits: 28 years hold each kind of year, leap or not, by the day it begins with.
    var everComes: Bool {
        (2000..<2028).contains { year in
            months.numbers.contains { month in
                (1...CalendarDate.days(in: month, of: year)).contains { day in
                    CalendarDate(year: year, month: month, day: day).map(contains) ?? false
                }
            }
        }
    }
}

extension CalendarDate {
    /// Sunday is 0.
    var weekday: Int { (daysSince1970 % 7 + 11) % 7 }

    /// The day of the week of another day of the same month.
    func weekday(ofDay other: Int) -> Int { ((weekday + other - day) % 7 + 7) % 7 }
}
