// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// When the ticks of a schedule are.
public enum Timing: Sendable, Hashable {
    /// At every multiple of a time span since 1970 (UTC), or since the schedule's start date where it has one: so every
    /// scheduler, also one that has just started, means the same instants. Down to a tenth of a second; what is finer than
    /// a millisecond is rounded.
    case every(Duration)
    /// By the calendar and the clock on the wall of a time zone.
    case cron(CronExpression, timeZone: String)

    /// For people: `every minute`, `at 07:30 on the first day of the month, Europe/Warsaw`.
    public var words: String {
        switch self {
        case .every(let interval):
            let milliseconds = interval.wholeMilliseconds
            for (unit, noun) in [(604_800_000, "week"), (86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute")]
            where milliseconds >= unit && milliseconds % unit == 0 {
                return milliseconds == unit ? "every \(noun)" : "every \(milliseconds / unit) \(noun)s"
            }
            if milliseconds == 1000 { return "every second" }
            return milliseconds % 1000 == 0
                ? "every \(milliseconds / 1000) seconds" : "every \(Double(milliseconds) / 1000) seconds"
        case .cron(let expression, let timeZone):
            return "\(expression.words), \(timeZone)"
        }
    }

    /// A century: whatever is longer is a slip, and more than can be reckoned with.
    static let longest = Duration.seconds(3_155_760_000)

    /// The shortest time between two ticks, as far as a thousand of them show it; `nil` where there is none.
    func shortestGap(in database: TimeZoneDatabase) -> Duration? {
        if case .every(let interval) = self { return interval }
        // From a leap year's beginning on, so that the answer is always the same.
        guard var last = try? next(after: 1_704_067_199_000, anchor: 0, database) else { return nil }
        var shortest: Int?
        for _ in 0..<1_000 {
            guard let tick = try? next(after: last, anchor: 0, database) else { break }
            shortest = min(shortest ?? .max, tick - last)
            last = tick
        }
        return shortest.map { .milliseconds($0) }
    }

    func problem(in database: TimeZoneDatabase) -> ScheduleError? {
        switch self {
        case .every(let interval):
            guard !(.milliseconds(100)...Self.longest ~= interval) else { return nil }
            return ScheduleError(
                .badInterval, "the interval is \(interval); it must be at least a tenth of a second, and no century")
        case .cron(_, let timeZone):
            do throws(ScheduleError) {
                _ = try database.rules(named: timeZone)
                return nil
            } catch {
                return error
            }
        }
    }

    // Ticks are milliseconds since 1970.

    /// The first tick after `time`. Intervals count from `anchor`.
    func next(after time: Int, anchor: Int, _ database: TimeZoneDatabase) throws(ScheduleError) -> Int? {
        switch self {
        case .every(let interval):
            let step = interval.wholeMilliseconds
            return anchor + ((time - anchor).floorDivided(by: step) + 1) * step
        case .cron(let expression, let timeZone):
            return expression.next(after: time.floorDivided(by: 1000), try database.rules(named: timeZone)).map {
                $0 * 1000
            }
        }
    }

    /// The last tick before `time`.
    func previous(before time: Int, anchor: Int, _ database: TimeZoneDatabase) throws(ScheduleError) -> Int? {
        switch self {
        case .every(let interval):
            let step = interval.wholeMilliseconds
            return anchor + (time - 1 - anchor).floorDivided(by: step) * step
        case .cron(let expression, let timeZone):
            // A part of a second has begun: its whole second is before.
            let seconds = (time + 999).floorDivided(by: 1000)
            return expression.previous(before: seconds, try database.rules(named: timeZone)).map { $0 * 1000 }
        }
    }
}

extension Duration {
    /// Milliseconds, rounded; of what is longer than anybody lives to see, as many as can be written.
    var wholeMilliseconds: Int { Int(max(-9e15, min(9e15, (seconds * 1000).rounded()))) }
}

extension Date {
    init(milliseconds: Int) { self.init(timeIntervalSince1970: Double(milliseconds) / 1000) }

    /// Whole milliseconds since 1970, rounded down; a rounding error of the floating point is none.
    var milliseconds: Int { Int((limitedSeconds * 1000 + 0.001).rounded(.down)) }
}
