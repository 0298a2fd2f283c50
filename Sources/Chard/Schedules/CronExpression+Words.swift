// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension CronExpression {
    /// The expression for people: `at 07:30 on the first day of the month`.
    public var words: String {
        [timeWords, dayWords, monthWords].filter { !$0.isEmpty }.joined(separator: " ")
    }

    private var timeWords: String {
        let times = hours.count * minutes.count * seconds.count
        if times <= 4 {
            let all = hours.numbers.flatMap { hour in
                minutes.numbers.flatMap { minute in
                    seconds.numbers.map { second in
                        let text = "\(hour.twoDigits):\(minute.twoDigits)"
                        return self.seconds == SmallSet([0]) ? text : "\(text):\(second.twoDigits)"
                    }
                }
            }
            return "at \(all.listed)"
        }
        var parts: [String] = []
        let isOnTheMinute = seconds == SmallSet([0])
        if !isOnTheMinute { parts.append(Self.part(seconds, "second", of: 60)) }
        if hours.count == 24 {
            if isOnTheMinute, minutes == SmallSet([0]) {
                parts.append("every hour")
            } else if minutes.count < 60 {
                parts.append(
                    Self.part(minutes, "minute", of: 60) + (minutes.step(of: 60) == nil ? " of every hour" : ""))
            } else if isOnTheMinute || seconds.step(of: 60) == nil {
                parts.append(isOnTheMinute ? "every minute" : "of every minute")
            }
        } else {
            if minutes != SmallSet([0]) || !isOnTheMinute {
                parts.append(Self.part(minutes, "minute", of: 60))
            }
            let isStep = hours.step(of: 24) != nil
            parts.append(isStep ? Self.part(hours, "hour", of: 24) : "in the hours \(hours.ranges.listed)")
        }
        return parts.joined(separator: " ")
    }

    /// `every minute`, `every 15 minutes`, `at minute 5`, `at minutes 5 and 20`.
    private static func part(_ numbers: SmallSet, _ noun: String, of size: Int) -> String {
        if let step = numbers.step(of: size) { return step == 1 ? "every \(noun)" : "every \(step) \(noun)s" }
        return "at \(noun)\(numbers.count == 1 ? "" : "s") \(numbers.ranges.listed)"
    }

    private var dayWords: String {
        let byMonth = days.restrictsDayOfMonth ? dayOfMonthWords : []
        let byWeek = days.restrictsDayOfWeek ? dayOfWeekWords : []
        if byMonth.isEmpty && byWeek.isEmpty { return "" }
        if byWeek.isEmpty { return "on \(byMonth.listed) of the month" }
        if byMonth.isEmpty { return "on \(byWeek.listed)" }
        switch dayRule {
        case .both: return "on \(byMonth.listed) of the month, if that is \(byWeek.listed(with: "or"))"
        case .either: return "on \(byMonth.listed) of the month and on \(byWeek.listed)"
        }
    }

    private var dayOfMonthWords: [String] {
        var parts: [String] = []
        if days.days == SmallSet([1]) {
            parts.append("the first day")
        } else if !days.days.isEmpty {
            parts.append("day\(days.days.count == 1 ? "" : "s") \(days.days.ranges.listed)")
        }
        for count in days.fromLast.numbers {
            parts.append(count == 0 ? "the last day" : "the day \(count) before the last one")
        }
        for day in days.nearestWeekdays.numbers { parts.append("the weekday nearest to day \(day)") }
        if days.isLastWeekday { parts.append("the last weekday") }
        return parts
    }

    private var dayOfWeekWords: [String] {
        let names = CronField.weekdays
        var parts: [String] = []
        if days.weekdays == SmallSet(1...5) {
            parts.append("Monday to Friday")
        } else {
            // The week begins with Monday for most who read this.
            parts += [1, 2, 3, 4, 5, 6, 0].filter(days.weekdays.contains).map { names[$0] }
        }
        let ordinals = ["", "first", "second", "third", "fourth", "fifth"]
        for number in days.nthWeekdays.numbers {
            parts.append("the \(ordinals[number / 7]) \(names[number % 7]) of the month")
        }
        for weekday in days.lastWeekdays.numbers { parts.append("the last \(names[weekday]) of the month") }
        return parts
    }

    private var monthWords: String {
        days.months.count == 12 ? "" : "in \(days.months.numbers.map { CronField.months[$0 - 1] }.listed)"
    }
}

extension SmallSet {
    /// The step, if these are all its multiples below `size`, and more than one.
    fileprivate func step(of size: Int) -> Int? {
        let all = numbers
        guard all.count > 1, all[0] == 0 else { return nil }
        return all == Array(stride(from: 0, to: size, by: all[1])) ? all[1] : nil
    }

    /// `1`, `5-8`, `20`.
    fileprivate var ranges: [String] {
        var ranges: [ClosedRange<Int>] = []
        for number in numbers {
            if let last = ranges.last, last.upperBound == number - 1 {
                ranges[ranges.count - 1] = last.lowerBound...number
            } else {
                ranges.append(number...number)
            }
        }
        return ranges.flatMap { range in
            range.count < 3 ? range.map(String.init) : ["\(range.lowerBound)-\(range.upperBound)"]
        }
    }
}

extension Int {
    fileprivate var twoDigits: String { self < 10 ? "0\(self)" : "\(self)" }
}

extension [String] {
    fileprivate var listed: String { listed(with: "and") }

    /// `a`, `a and b`, `a, b and c`.
    fileprivate func listed(with word: String) -> String {
        guard count > 1 else { return first ?? "" }
        return "\(dropLast().joined(separator: ", ")) \(word) \(self[count - 1])"
    }
}
