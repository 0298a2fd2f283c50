// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Reads the fields of a cron expression, and says of a wrong one what would be right.
struct CronParser {
    private(set) var seconds = SmallSet([0])
    private(set) var minutes = SmallSet()
    private(set) var hours = SmallSet()
    private(set) var days = CronDays()

    /// What the names stand for; midnight and the like are the zone's.
    static let nicknames: KeyValuePairs = [
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
        "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
    ]

    init(_ text: String) throws(ScheduleError) {
        var text = text
        let words = text.split(whereSeparator: \.isWhitespace)
        if let name = words.first, name.hasPrefix("@") { text = try Self.meaning(of: words) }
        let parts = text.split(whereSeparator: \.isWhitespace)
        guard parts.count == 5 || parts.count == 6 else {
            throw ScheduleError(
                .badCron,
                "\"\(text)\" has \(parts.count) field\(parts.count == 1 ? "" : "s"); a cron expression has five (minute, "
                    + "hour, day of month, month, day of week), or six with the second before them, or is a name such "
                    + "as @daily")
        }
        for (field, part) in zip(parts.count == 5 ? CronField.five : CronField.six, parts) {
            try read(part, field)
        }
    }

    private static func meaning(of words: [Substring]) throws(ScheduleError) -> String {
        let name = words[0].lowercased()
        let known = nicknames.map(\.key)
        guard words.count == 1, let meaning = nicknames.first(where: { $0.key == name })?.value else {
            if words.count > 1, known.contains(name) {
                throw ScheduleError(.badCron, "\(words[0]) stands alone; leave out what is behind it")
            }
            let hint = NearestNames.nearest(to: name, among: known).first.map { "did you mean \($0)?" }
            throw ScheduleError(
                .badCron, "\(words[0]) is no known name; \(hint ?? "known are \(known.joined(separator: ", "))")")
        }
        return meaning
    }

    private mutating func read(_ text: Substring, _ field: CronField) throws(ScheduleError) {
        var numbers = SmallSet()
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard !item.isEmpty else {
                throw ScheduleError(.badCron, field: field, "\"\(text)\" has nothing on one side of a comma")
            }
            if field == .dayOfMonth, try readDayOfMonth(item) { continue }
            if field == .dayOfWeek, try readDayOfWeek(item) { continue }
            for number in try Self.numbers(item, field) { numbers.insert(field == .dayOfWeek ? number % 7 : number) }
        }
        switch field {
        case .second: seconds = numbers
        case .minute: minutes = numbers
        case .hour: hours = numbers
        case .dayOfMonth: days.days = numbers
        case .month: days.months = numbers
        case .dayOfWeek: days.weekdays = numbers
        }
    }

    // MARK: What only days have

    /// `L`, `L-2`, `LW`, `15W`.
    private mutating func readDayOfMonth(_ item: Substring) throws(ScheduleError) -> Bool {
        let upper = item.uppercased()
        if upper == "LW" || upper == "WL" {
            days.isLastWeekday = true
        } else if upper == "L" {
            days.fromLast.insert(0)
        } else if upper.hasPrefix("L-") {
            guard let count = Int(upper.dropFirst(2)), 0...30 ~= count else {
                throw ScheduleError(
                    .badCron, field: .dayOfMonth,
                    "\"\(item)\" means so many days before the last one; 0 to 30 may stand behind L-")
            }
            days.fromLast.insert(count)
        } else if upper.hasSuffix("W") {
            guard let day = Int(upper.dropLast()), 1...31 ~= day else {
                throw ScheduleError(
                    .badCron, field: .dayOfMonth,
                    "\"\(item)\" means the weekday nearest to a day; write one of 1W to 31W, or LW for the last weekday"
                )
            }
            days.nearestWeekdays.insert(day)
        } else {
            return false
        }
        return true
    }

    /// `5L`, `FRIL`, `2#3`, `TUE#3`.
    private mutating func readDayOfWeek(_ item: Substring) throws(ScheduleError) -> Bool {
        if let mark = item.firstIndex(of: "#") {
            let weekday = try Self.number(item[..<mark], .dayOfWeek) % 7
            guard let nth = Int(item[item.index(after: mark)...]), 1...5 ~= nth else {
                throw ScheduleError(
                    .badCron, field: .dayOfWeek,
                    "\"\(item)\" means the so-manieth such day of the month; 1 to 5 may stand behind #")
            }
            days.nthWeekdays.insert(nth * 7 + weekday)
            return true
        }
        let upper = item.uppercased()
        if upper == "L" {
            throw ScheduleError(
                .badCron, field: .dayOfWeek,
                "L needs a day before it: 5L is the last Friday of the month (for the last day of the month, write L as "
                    + "the day of the month)")
        }
        guard upper.hasSuffix("L"), CronField.dayOfWeek.number(named: item) == nil else { return false }
        days.lastWeekdays.insert(try Self.number(item.dropLast(), .dayOfWeek) % 7)
        return true
    }

    // MARK: Numbers, ranges, steps

    /// `*`, `?`, `5`, `1-5`, `FRI-MON`, `*/15`, `0-30/10`, `5/15`.
    private static func numbers(_ item: Substring, _ field: CronField) throws(ScheduleError) -> [Int] {
        let parts = item.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let values: [Int]
        if parts[0] == "*" || parts[0] == "?" && (field == .dayOfMonth || field == .dayOfWeek) {
            values = Array(field.range)
        } else {
            let ends = parts[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            let first = try number(ends[0], field)
            if ends.count == 2 {
                values = range(first, try number(ends[1], field), field)
            } else {
                values = parts.count == 2 ? Array(first...max(first, field.range.upperBound)) : [first]
            }
        }
        guard parts.count == 2 else { return values }
        guard let step = Int(parts[1]), step > 0 else {
            throw ScheduleError(
                .badCron, field: field, "the step of \"\(item)\" is no number above zero; */15 is one of every 15")
        }
        guard step <= field.range.count else {
            throw ScheduleError(
                .badCron, field: field,
                "the step of \"\(item)\" is larger than the range \(field.range.text); for longer intervals use every(...)"
            )
        }
        return stride(from: 0, to: values.count, by: step).map { values[$0] }
    }

    /// All from `first` to `last`, over the end of the range if that is nearer to what was written: `FRI-MON`.
    private static func range(_ first: Int, _ last: Int, _ field: CronField) -> [Int] {
        if first <= last { return Array(first...last) }
        let size = field.range.count
        return (first...(last + size)).map { $0 > field.range.upperBound ? $0 - size : $0 }
    }

    private static func number(_ text: Substring, _ field: CronField) throws(ScheduleError) -> Int {
        if text.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }), !text.isEmpty {
            guard let number = Int(text), field.writable ~= number else {
                throw ScheduleError(.badCron, field: field, "\(text) is out of range \(field.writable.text)")
            }
            return number
        }
        if let number = field.number(named: text) { return number }
        throw ScheduleError(.badCron, field: field, complaint(about: text, field))
    }

    private static func complaint(about text: Substring, _ field: CronField) -> String {
        let example = "write \(field.range.text)"
        if text.isEmpty { return "a number is missing; \(example), or * for all" }
        if text == "?" { return "? stands for all only in days; write * here" }
        guard !field.names.isEmpty else {
            return "\"\(text)\" is no number; \(example), *, a range such as 1-5, a step such as */15, or several with "
                + "commas between"
        }
        if let near = NearestNames.nearest(to: String(text), among: field.names).first {
            return "\"\(text)\" is no \(field == .month ? "month" : "day"); did you mean \(near)?"
        }
        return "\"\(text)\" is no \(field == .month ? "month" : "day"); \(example), or one of "
            + field.names.joined(separator: ", ")
    }
}

extension ClosedRange<Int> {
    fileprivate var text: String { "\(lowerBound)-\(upperBound)" }
}
