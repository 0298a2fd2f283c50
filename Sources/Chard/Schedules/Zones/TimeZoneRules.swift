// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// The offsets of one time zone from UTC, past and future.
///
/// Chard reads the system's time zone database itself, since Foundation's way to it costs every program megabytes and
/// start-up time.
public struct TimeZoneRules: Sendable, Hashable {
    /// The name in the database: `Europe/Warsaw`.
    public let name: String

    /// Coordinated Universal Time, which needs no database.
    public static let utc = TimeZoneRules(name: "UTC", initialOffset: 0, changes: [], rule: nil)

    /// A change of the offset: seconds since 1970, and seconds east of UTC from then on.
    struct Change: Hashable {
        var at: Int
        var offset: Int
    }

    /// A time with one offset: from `start`, before `end`.
    struct Period: Hashable {
        var start: Int
        var end: Int
        var offset: Int
        /// The offset before `start`.
        var previousOffset: Int
    }

    /// What held before the first change.
    private let initialOffset: Int
    /// Each one a true change, in order.
    private let changes: [Change]
    /// What holds after the last change.
    private let rule: PosixTimeZone?

    init(name: String, initialOffset: Int, changes: [Change], rule: PosixTimeZone?) {
        self.name = name
        self.initialOffset = initialOffset
        var offset = initialOffset
        // Others change the name of the time, or call it summer time, and no clock.
        self.changes = changes.filter { change in
            defer { offset = change.offset }
            return change.offset != offset
        }
        self.rule = rule
    }

    /// Seconds east of UTC at `date`.
    public func offset(at date: Date) -> Int {
        period(at: Int(date.timeIntervalSince1970.rounded(.down))).offset
    }

    func period(at time: Int) -> Period {
        guard let last = changes.last, time >= last.at else {
            if let next = changes.firstIndex(after: time) {
                let offset = next > 0 ? changes[next - 1].offset : initialOffset
                return Period(
                    start: next > 0 ? changes[next - 1].at : .min, end: changes[next].at, offset: offset,
                    previousOffset: next > 1 ? changes[next - 2].offset : initialOffset)
            }
            return future(
                of: Period(start: .min, end: .max, offset: initialOffset, previousOffset: initialOffset), at: time)
        }
        let before = changes.count > 1 ? changes[changes.count - 2].offset : initialOffset
        return future(of: Period(start: last.at, end: .max, offset: last.offset, previousOffset: before), at: time)
    }

    /// The period at `time`, which is not before the last one of the table.
    private func future(of last: Period, at time: Int) -> Period {
        guard let rule else { return last }
        let year = CalendarDate(daysSince1970: max(-700_000, min(2_900_000, time.floorDivided(by: 86_400)))).year
        var period = last
        for change in rule.changes(in: (year - 1)...(year + 1)) where change.at > last.start {
            if change.offset == period.offset { continue }
            if change.at > time {
                period.end = change.at
                break
            }
            period = Period(start: change.at, end: .max, offset: change.offset, previousOffset: period.offset)
        }
        return period
    }

    /// The instant at which the clock on the wall first shows `local`, or jumps over it.
    func instant(of local: Int) -> Int {
        // No offset is larger than 26 hours (RFC 8536, 3.2): what is looked for cannot lie before this period.
        var period = period(at: local - 26 * 3600)
        while true {
            let instant = local - period.offset
            if instant < period.start { return period.start }
            if instant < period.end { return instant }
            period = self.period(at: period.end)
        }
    }
}

extension [TimeZoneRules.Change] {
    /// The first change after `time`.
    fileprivate func firstIndex(after time: Int) -> Int? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle].at > time { high = middle } else { low = middle + 1 }
        }
        return low < count ? low : nil
    }
}
