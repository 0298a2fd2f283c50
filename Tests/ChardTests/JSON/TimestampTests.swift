// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Timestamps")
struct TimestampTests {
    @Test(
        "are read in all their forms",
        arguments: [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-11-21T20:31:53.624442+00:00", 1_795_293_113.624442),
            ("2026-11-21T20:31:53", 1_795_293_113),
            ("2026-11-21 20:31:53+00:00", 1_795_293_113),
            ("2026-11-21T22:31:53.5+02:00", 1_795_293_113.5),
            ("2026-11-21T15:01:53-0530", 1_795_293_113),
            ("2026-11-21T15:31:53-05", 1_795_293_113),
            ("2026-11-21T20:31:53.123456789Z", 1_795_293_113.123456),
            ("2026-11-21T20:31", 1_795_293_060),
            ("2026-11-21", 1_795_219_200),
            ("2000-02-29T00:00:00Z", 951_782_400),
            ("1969-12-31T23:59:59.5Z", -0.5),
            ("0001-01-01T00:00:00Z", -62_135_596_800),
            ("9999-12-31T23:59:59+00:00", 253_402_300_799),
            // All that follow were read by a Celery 5.7 worker in the same way.
            ("20261121T203153Z", 1_795_293_113),
            ("20261121", 1_795_219_200),
            ("2026", 1_767_225_600),
            ("2026-11", 1_793_491_200),
            ("2026-325", 1_795_219_200),
            ("2026325", 1_795_219_200),
            ("2024-366", 1_735_603_200),
            ("2026-W47", 1_794_787_200),
            ("2026W47", 1_794_787_200),
            ("2026-W47-6", 1_795_219_200),
            ("2026W476T203153Z", 1_795_293_113),
            ("2020-W01-3T00:00:00Z", 1_577_836_800),
            ("2026-W53-1", 1_798_416_000),
            ("2026-11-21T20", 1_795_291_200),
            ("2026-11-21T2031", 1_795_293_060),
            ("2026-11-21T203153.5", 1_795_293_113.5),
            ("2026-11-21T20:31:53,5", 1_795_293_113.5),
            ("2026-11-21T24:00", 1_795_305_600),
            ("2026-11-21x20:31:53", 1_795_293_113),
        ])
    func forms(_ text: String, _ seconds: Double) throws {
        #expect(Timestamp.date(from: text) == Date(timeIntervalSince1970: seconds))
    }

    @Test(
        "of nonsense are refused",
        arguments: [
            "", "garbage", "202", "202611", "2026-366", "2026-000", "2026-W00", "2026-W54", "2026-W47-8", "2026-W47-",
            "4102444800", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-04-31", "1900-02-29", "2026-11-21T25:00:00Z", "2026-11-21T24:00:01Z",
            "2026-11-21T20:60:00Z", "2026-11-21T20:31:60Z",
            "2026-11-21T", "2026-11-21T2", "2026-11-21T20:31.5", "2026-11-21T20.5", "2026-11-21T20:31:",
            "2026-11-21T20:31:53.",
            "2026-11-21T20:31:53.Z",
            "2026-11-21T20:31:53+", "2026-11-21T20:31:53+2", "2026-11-21T20:31:53+24:00",
            "2026-11-21T20:31:53+00:60",
            "2026-11-21T20:31:53Zx", "2026-11-21T20:31:53 Z", "2026/11/21", "0000-01-01", "-2026-11-21",
            "2026-1-2", "２026-11-21",
        ])
    func nonsense(_ text: String) {
        #expect(Timestamp.date(from: text) == nil)
    }

    @Test("are written with microseconds and offset")
    func text() {
        #expect(
            Timestamp.text(for: Date(timeIntervalSince1970: 0)) == "1970-01-01T00:00:00.000000+00:00")
        #expect(
            Timestamp.text(for: Date(timeIntervalSince1970: -0.000001))
                == "1969-12-31T23:59:59.999999+00:00")
        #expect(Timestamp.text(for: .distantPast) == "0001-01-01T00:00:00.000000+00:00")
        for odd in [Double.infinity, -.infinity, .nan, 1e300, -1e300] {
            #expect(Timestamp.date(from: Timestamp.text(for: Date(timeIntervalSince1970: odd))) != nil)
        }
    }

    @Test("come back exactly, to the microsecond")
    func roundTrip() throws {
        var generator = SeededGenerator(state: 7)
        for _ in 0..<5000 {
            let day = try #require(
                CalendarDate(
                    year: .random(in: 1970...2100, using: &generator),
                    month: .random(in: 1...12, using: &generator),
                    day: .random(in: 1...28, using: &generator)))
            let time = try #require(
                ClockTime(
                    hour: .random(in: 0..<24, using: &generator),
                    minute: .random(in: 0..<60, using: &generator),
                    second: .random(in: 0..<60, using: &generator),
                    microsecond: .random(in: 0..<1_000_000, using: &generator)))
            #expect(CalendarDate(daysSince1970: day.daysSince1970) == day)
            #expect(CalendarDate(day.description) == day)
            #expect(ClockTime(time.description) == time)
            let fraction = time.microsecond == 0 ? ".000000" : ""
            let text = "\(day)T\(time)\(fraction)+00:00"
            let date = try #require(Timestamp.date(from: text))
            #expect(Timestamp.text(for: date) == text)
        }
    }

    @Test("days follow each other")
    func days() throws {
        let first = try #require(CalendarDate(year: 1, month: 1, day: 1))
        #expect(first.daysSince1970 == -719_162)
        var before = first
        for number in -719_161..<(-719_161 + 4000) {
            let day = CalendarDate(daysSince1970: number)
            #expect(before < day)
            #expect(CalendarDate(year: day.year, month: day.month, day: day.day) == day)
            before = day
        }
    }
}
