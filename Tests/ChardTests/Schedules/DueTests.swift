// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("What is due of a schedule")
struct DueTests {
    private func schedule(
        every seconds: Double = 60, _ change: (inout ScheduleOptions) -> Void = { _ in }
    ) -> Schedule {
        var options = ScheduleOptions()
        change(&options)
        return Schedule("backup", .every(.seconds(seconds)), call: PeriodicCall("backup"), options: options)
    }

    private func due(_ schedule: Schedule, after last: Int, now: Int, waited: Bool = false) throws -> Due {
        try schedule.due(after: last, now: now, waited: waited, .system)
    }

    @Test("intervals are multiples since 1970, for every scheduler alike")
    func anchors() throws {
        #expect(try due(schedule(), after: 59_999, now: 59_999) == .later(60_000))
        #expect(try due(schedule(), after: 60_000, now: 60_000) == .later(120_000))
        #expect(try due(schedule(), after: 60_000, now: 120_001) == .now(send: [120_000], upTo: 120_000, dropped: 0))
        let odd = schedule { $0.startsAt = Date(timeIntervalSince1970: 1000.5) }
        #expect(try due(odd, after: 0, now: 0) == .later(1_000_500))
        #expect(try due(odd, after: 1_000_500, now: 0) == .later(1_060_500))
    }

    @Test("nothing comes after the end")
    func end() throws {
        let ending = schedule { $0.endsAt = Date(timeIntervalSince1970: 120) }
        #expect(try due(ending, after: 60_000, now: 60_000) == .later(120_000))
        #expect(try due(ending, after: 120_000, now: 120_000) == .never)
        #expect(try due(ending, after: 0, now: 10_000_000) == .now(send: [120_000], upTo: 120_000, dropped: 1))
    }

    @Test("a little late: every tick, in order")
    func late() throws {
        let fast = schedule(every: 1)
        #expect(try due(fast, after: 1000, now: 9_000) == .now(send: [2000], upTo: 2000, dropped: 0))
        #expect(try due(fast, after: 2000, now: 9_000) == .now(send: [3000], upTo: 3000, dropped: 0))
    }

    @Test(
        "after an absence the catch-up decides",
        arguments: [
            (ScheduleOptions.CatchUp.latest, [60_000], 59), (.all(upTo: 3), [58_000, 59_000, 60_000], 57),
            (.all(upTo: 100), Array(stride(from: 1000, through: 60_000, by: 1000)), 0), (.none, [60_000], 59),
        ])
    func absence(catchUp: ScheduleOptions.CatchUp, send: [Int], dropped: Int) throws {
        let fast = schedule(every: 1) { $0.catchUp = catchUp }
        #expect(try due(fast, after: 0, now: 60_500) == .now(send: send, upTo: 60_000, dropped: dropped))
    }

    @Test("with no catch-up, a tick that is later than the grace is dropped")
    func none() throws {
        let hourly = schedule(every: 3600) { $0.catchUp = .none }
        #expect(
            try due(hourly, after: 0, now: 3_600_000 + 10_000) == .now(send: [3_600_000], upTo: 3_600_000, dropped: 0))
        #expect(try due(hourly, after: 0, now: 3_600_000 + 10_001) == .now(send: [], upTo: 3_600_000, dropped: 1))
        #expect(
            try due(hourly, after: 0, now: 7_200_000 + 10_000) == .now(send: [7_200_000], upTo: 7_200_000, dropped: 1))
    }

    @Test("dropped ticks of a cron expression are counted, up to a limit")
    func counted() throws {
        let cron = Schedule("c", .cron(try CronExpression("* * * * *"), timeZone: "UTC"), call: PeriodicCall("c"))
        #expect(try due(cron, after: 0, now: 3_600_000) == .now(send: [3_600_000], upTo: 3_600_000, dropped: 59))
        let year = 31_536_000_000
        #expect(try due(cron, after: 0, now: year) == .now(send: [year], upTo: year, dropped: 9_999))
    }

    @Test("what waited for a task becomes one, whatever the catch-up says")
    func waited() throws {
        let waiting = schedule(every: 1) {
            $0.overlap = .wait
            $0.catchUp = .none
        }
        #expect(try due(waiting, after: 0, now: 5_000, waited: true) == .now(send: [5000], upTo: 5000, dropped: 4))
        #expect(
            try due(waiting, after: 0, now: 50_000, waited: true) == .now(send: [50_000], upTo: 50_000, dropped: 49))
    }

    @Test("jitter is the same for all, within its range, and ticks keep their order")
    func jitter() throws {
        let jittery = schedule { $0.jitter = .seconds(30) }
        var delays: Set<Int> = []
        for tick in stride(from: 60_000, through: 6_000_000, by: 60_000) {
            guard case .later(let due) = try due(jittery, after: tick - 60_000, now: tick - 60_000) else {
                Issue.record("tick \(tick) is not to come")
                return
            }
            #expect(tick..<tick + 30_000 ~= due)
            delays.insert(due - tick)
            #expect(try self.due(jittery, after: tick - 60_000, now: due) == .now(send: [tick], upTo: tick, dropped: 0))
            #expect(try self.due(jittery, after: tick - 60_000, now: due - 1) == .later(due))
        }
        #expect(delays.count > 90)
        #expect(schedule { $0.jitter = .seconds(30) }.delay(of: 60_000) == jittery.delay(of: 60_000))
    }

    @Test(
        "jitter beyond the time between two ticks is refused: ticks would wait for each other, and seem missed",
        arguments: [
            ("* * * * *", 60, 61), ("*/5 * * * *", 300, 1800), ("0,59 * * * *", 60, 61),
            ("0 0 1,31 * *", 86_400, 86_401),
            ("30 7 1 * *", 28 * 86_400, 29 * 86_400 + 1),
        ])
    func jitterOfCron(expression: String, most: Int, tooMuch: Int) throws {
        var schedule = Schedule(
            "s", .cron(try CronExpression(expression), timeZone: "UTC"), call: PeriodicCall("x"))
        schedule.jitter = .seconds(most)
        #expect(schedule.problems().isEmpty)
        schedule.jitter = .seconds(tooMuch)
        #expect(schedule.problems().first?.contains("between two of its ticks") == true)
    }

    @Test("problems are told, each with the way to mend it")
    func problems() throws {
        var bad = schedule(every: 0.01) {
            $0.jitter = .seconds(-1)
            $0.catchUp = .all(upTo: 0)
            $0.startsAt = Date(timeIntervalSince1970: 2)
            $0.endsAt = Date(timeIntervalSince1970: 1)
            $0.overlap = .skip
        }
        bad.call.ignoresResult = true
        let problems = bad.problems().joined(separator: "\n")
        for part in ["at least a tenth", "jitter", "catch up on 0", "end before it starts", "its result is ignored"] {
            #expect(problems.contains(part), "\(problems)")
        }
        #expect(schedule().problems().isEmpty)
        var endless = schedule {
            $0.grace = .seconds(Int64.max)
            $0.overlapLimit = .seconds(20_000_000_000)
        }
        endless.call.expires = .seconds(Int64.max)
        #expect(endless.problems().filter { $0.contains("a century") }.count == 3)
        // Nothing of it may end the program before it is told.
        #expect(endless.grace.wholeMilliseconds > 0)
        let nowhere = Schedule("n", .cron(try CronExpression("@daily"), timeZone: "Warsaw"), call: PeriodicCall("n"))
        #expect(nowhere.problems().first?.contains("Europe/Warsaw") == true)
    }

    @Test(
        "intervals for people",
        arguments: [
            (60, "every minute"), (1, "every second"), (90, "every 90 seconds"), (0.5, "every 0.5 seconds"),
            (7200, "every 2 hours"), (86_400, "every day"), (604_800, "every week"), (1_209_600, "every 2 weeks"),
        ])
    func words(seconds: Double, words: String) {
        #expect(schedule(every: seconds).words == words)
    }
}
