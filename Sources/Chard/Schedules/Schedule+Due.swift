// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What a scheduler has to do about a schedule now. Ticks and times are milliseconds since 1970.
enum Due: Hashable, Sendable {
    /// Nothing will ever come.
    case never
    /// Nothing before this time.
    case later(Int)
    /// These ticks are to be sent, oldest first. With `upTo` everything is dealt with to there, so many dropped.
    case now(send: [Int], upTo: Int, dropped: Int)
}

extension ScheduleRecord {
    /// Since when a tick should have been sent: any beat that is running sends one within moments. `nil` where none is due, or
    /// may be waiting for the end of a task.
    package func overdue(at now: Date) -> Date? {
        guard isActive, version > 0, let schedule, schedule.overlap != .wait,
            let tick = try? schedule.next(after: progress.last, .system)
        else { return nil }
        let due = Date(milliseconds: tick + schedule.delay(of: tick))
        return due.addingTimeInterval(5) < now ? due : nil
    }
}

extension Schedule {
    /// So many dropped ticks are counted; it is only said of more that there were so many.
    static let countLimit = 10_000

    /// What is to do at the time `now`, when everything up to the tick `last` is dealt with.
    ///
    /// - Parameter waited: Whether ticks had to wait for the end of a task: the latest one stands for all.
    func due(after last: Int, now: Int, waited: Bool = false, _ database: TimeZoneDatabase) throws(ScheduleError) -> Due
    {
        guard let first = try next(after: last, database) else { return .never }
        let firstDue = first + delay(of: first)
        guard firstDue <= now else { return .later(firstDue) }
        let wasThere = now - firstDue <= grace.wholeMilliseconds
        if wasThere && !waited { return .now(send: [first], upTo: first, dropped: 0) }
        let latest = try latestDue(at: now, database) ?? first
        var send = [max(first, latest)]
        switch catchUp {
        case .none where !waited && now - latest - delay(of: latest) > grace.wholeMilliseconds: send = []
        case .all(let count) where overlap == .allow:
            while send.count < count, let tick = try previous(before: send[0], database), tick > last {
                send.insert(tick, at: 0)
            }
        default: break
        }
        let all = try count(after: last, upTo: latest, database)
        return .now(send: send, upTo: latest, dropped: max(0, all - send.count))
    }

    /// The latest tick whose delay is over, too.
    private func latestDue(at now: Int, _ database: TimeZoneDatabase) throws(ScheduleError) -> Int? {
        var tick = try previous(before: now + 1, database)
        while let candidate = tick, candidate + delay(of: candidate) > now {
            tick = try previous(before: candidate, database)
        }
        return tick
    }

    private func count(after last: Int, upTo latest: Int, _ database: TimeZoneDatabase) throws(ScheduleError) -> Int {
        if case .every(let interval) = timing {
            let from = startsAt.map { max(last, $0.milliseconds - 1) } ?? last
            guard let first = try next(after: from, database), first <= latest else { return 0 }
            return (latest - first) / interval.wholeMilliseconds + 1
        }
        var count = 0
        var tick = last
        while count < Self.countLimit, let next = try next(after: tick, database), next <= latest {
            count += 1
            tick = next
        }
        return count
    }
}
