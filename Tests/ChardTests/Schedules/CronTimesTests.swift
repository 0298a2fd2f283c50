// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("When a cron expression comes")
struct CronTimesTests {
    /// The next local times after a moment, in a zone without changes.
    private func next(_ text: String, after start: String, count: Int = 4, days: CronExpression.DayRule = .both) throws
        -> [String]
    {
        let cron = try CronExpression(text, days: days)
        var date = try #require(Timestamp.date(from: start))
        return try (0..<count).map { _ in
            let tick = try #require(cron.next(after: date, in: .utc))
            let back = try #require(cron.previous(before: tick + 1, in: .utc))
            #expect(back == tick)
            date = tick
            return String(Timestamp.text(for: tick).prefix(cron.seconds == SmallSet([0]) ? 16 : 19))
        }
    }

    @Test(
        "the calendar",
        arguments: [
            ("30 7 1 * *", "2026-11-21", ["2026-12-01T07:30", "2027-01-01T07:30"]),
            ("0 0 29 2 *", "2026-11-21", ["2028-02-29T00:00", "2032-02-29T00:00"]),
            ("0 0 29 2 *", "2096-03-01", ["2104-02-29T00:00"]),
            ("0 0 29 2 1", "2026-01-01", ["2044-02-29T00:00", "2072-02-29T00:00"]),
            ("0 0 L 2 *", "2026-11-21", ["2027-02-28T00:00", "2028-02-29T00:00"]),
            ("0 0 L-2 * *", "2026-02-01", ["2026-02-26T00:00", "2026-03-29T00:00"]),
            ("0 9 * * 5L", "2026-11-01", ["2026-11-27T09:00", "2026-12-25T09:00"]),
            ("0 9 * * 2#3", "2026-11-01", ["2026-11-17T09:00", "2026-12-15T09:00"]),
            ("0 9 * * 1#5", "2026-11-01", ["2026-11-30T09:00", "2027-03-29T09:00"]),
            ("0 9 LW * *", "2026-05-01", ["2026-05-29T09:00", "2026-06-30T09:00", "2026-07-31T09:00"]),
            ("0 9 1W * *", "2026-07-15", ["2026-08-03T09:00", "2026-09-01T09:00"]),
            (
                "0 9 15W * *", "2026-08-01",
                ["2026-08-14T09:00", "2026-09-15T09:00", "2026-10-15T09:00", "2026-11-16T09:00"]
            ),
            ("0 9 31W * *", "2026-05-01", ["2026-05-29T09:00", "2026-07-31T09:00"]),
            ("0 9 13 * 5", "2026-01-01", ["2026-02-13T09:00", "2026-03-13T09:00", "2026-11-13T09:00"]),
            ("59 59 23 31 12 *", "2026-12-31T23:59:59", ["2027-12-31T23:59:59"]),
            ("*/20 59 * * * *", "2026-01-01T00:59:20", ["2026-01-01T00:59:40", "2026-01-01T01:59:00"]),
        ])
    func calendar(text: String, start: String, expected: [String]) throws {
        #expect(try next(text, after: start, count: expected.count) == expected)
    }

    @Test("day of month and day of week: both as in Celery, or either as in Unix")
    func dayRules() throws {
        let either = try next("0 9 13 * 5", after: "2026-02-01", count: 4, days: .either)
        #expect(either == ["2026-02-06T09:00", "2026-02-13T09:00", "2026-02-20T09:00", "2026-02-27T09:00"])
        let plain = try next("0 9 * * 5", after: "2026-02-01", count: 2, days: .either)
        #expect(plain == ["2026-02-06T09:00", "2026-02-13T09:00"])
    }

    @Test("the calendar has an end")
    func end() throws {
        let cron = try CronExpression("0 0 1 1 *")
        #expect(cron.next(after: Date(timeIntervalSince1970: 253_402_300_000), in: .utc) == nil)
        #expect(cron.next(after: Date(timeIntervalSince1970: .infinity), in: .utc) == nil)
        #expect(cron.previous(before: Date(timeIntervalSince1970: -.infinity), in: .utc) == nil)
    }

    @Test("an hour that is repeated at the end of its day comes twice with it")
    func repeatedAtMidnight() throws {
        // In Casablanca Sunday, 31 August 2008 had two hours from 23:00 on.
        let zone = try TimeZoneDatabase.system.rules(named: "Africa/Casablanca")
        let cron = try CronExpression("30 * * * SUN")
        let first = try #require(cron.next(after: Date(timeIntervalSince1970: 1_220_220_000), in: zone))
        let second = try #require(cron.next(after: first, in: zone))
        #expect(second.timeIntervalSince(first) == 3600)
        #expect(cron.previous(before: second, in: zone) == first)
    }

    @Test(
        "a gap and a repeated hour in Warsaw",
        arguments: [
            // 2026-03-29: 02:00 becomes 03:00, at 01:00 UTC.
            ("30 2 * * *", "2026-03-28T12:00", ["2026-03-29T01:00", "2026-03-30T00:30"]),
            ("*/15 2 * * *", "2026-03-28T12:00", ["2026-03-29T01:00", "2026-03-30T00:00"]),
            ("0 2,3 * * *", "2026-03-28T12:00", ["2026-03-29T01:00", "2026-03-30T00:00"]),
            ("0 * * * *", "2026-03-28T23:30", ["2026-03-29T00:00", "2026-03-29T01:00", "2026-03-29T02:00"]),
            ("30 * * * *", "2026-03-28T23:45", ["2026-03-29T00:30", "2026-03-29T01:30"]),
            // 2026-10-25: 03:00 becomes 02:00, at 01:00 UTC.
            ("30 2 * * *", "2026-10-24T12:00", ["2026-10-25T00:30", "2026-10-26T01:30"]),
            ("*/30 2 * * *", "2026-10-25T00:00", ["2026-10-25T00:30", "2026-10-26T01:00"]),
            ("*/30 2 * * *", "2026-10-25T01:15", ["2026-10-26T01:00"]),
            ("30 * * * *", "2026-10-24T23:45", ["2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T02:30"]),
            ("0 */2 * * *", "2026-10-24T21:00", ["2026-10-24T22:00", "2026-10-25T00:00", "2026-10-25T03:00"]),
        ])
    func summerTime(text: String, start: String, expected: [String]) throws {
        let cron = try CronExpression(text)
        let warsaw = try TimeZoneDatabase.system.rules(named: "Europe/Warsaw")
        var date = try #require(Timestamp.date(from: start))
        for text in expected {
            let tick = try #require(cron.next(after: date, in: warsaw))
            #expect(Timestamp.text(for: tick).hasPrefix(text), "\(tick)")
            date = tick
        }
    }
}
