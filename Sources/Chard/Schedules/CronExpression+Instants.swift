// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

// The rules of summer time. With some hours named, the expression goes by the clock on the wall: a time that the clock jumps
// over comes at the first instant after the gap, one that the clock shows twice comes the first time. With every hour meant,
// it goes by real time: each time that the clock does show.
extension CronExpression {
    /// The first time after `date`, by the clocks of `zone`; `nil` only after the year 9999.
    public func next(after date: Date, in zone: TimeZoneRules) -> Date? {
        next(after: Int(date.limitedSeconds.rounded(.down)), zone).map { Date(timeIntervalSince1970: Double($0)) }
    }

    /// The last time before `date`, by the clocks of `zone`; `nil` only before the year 1.
    public func previous(before date: Date, in zone: TimeZoneRules) -> Date? {
        previous(before: Int(date.limitedSeconds.rounded(.up)), zone).map { Date(timeIntervalSince1970: Double($0)) }
    }

    func next(after time: Int, _ zone: TimeZoneRules) -> Int? {
        guard !isByRealTime else { return nextReal(after: time, zone) }
        let period = zone.period(at: time)
        // What the clock has shown already: in a repeated hour that reaches ahead of what it shows now.
        var local = time + 1 + period.offset
        if period.start != .min { local = max(local, period.start + period.previousOffset) }
        while let match = nextLocal(from: local) {
            let instant = zone.instant(of: match)
            if instant > time { return instant }
            local = match + 1
        }
        return nil
    }

    func previous(before time: Int, _ zone: TimeZoneRules) -> Int? {
        guard !isByRealTime else { return previousReal(before: time, zone) }
        let period = zone.period(at: time - 1)
        var local = time - 1 + period.offset
        if period.start != .min { local = max(local, period.start + period.previousOffset - 1) }
        while let match = previousLocal(from: local) {
            let instant = zone.instant(of: match)
            if instant < time { return instant }
            local = match - 1
        }
        return nil
    }

    private func nextReal(after time: Int, _ zone: TimeZoneRules) -> Int? {
        var from = time + 1
        while true {
            let period = zone.period(at: from)
            guard let match = nextLocal(from: from + period.offset) else { return nil }
            if match - period.offset < period.end { return match - period.offset }
            // The clock may have been put back: what it showed before may come again.
            from = period.end
        }
    }

    private func previousReal(before time: Int, _ zone: TimeZoneRules) -> Int? {
        var upTo = time - 1
        while true {
            let period = zone.period(at: upTo)
            guard let match = previousLocal(from: upTo + period.offset) else { return nil }
            if match - period.offset >= period.start { return match - period.offset }
            upTo = period.start - 1
        }
    }
}

extension Date {
    /// Seconds since 1970, within the years that calendars know.
    var limitedSeconds: Double { max(-62_135_596_800, min(253_402_300_800, timeIntervalSince1970)) }
}
