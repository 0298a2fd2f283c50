// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Time zones")
struct TimeZoneTests {
    /// A table of one file, version 2: no changes, then the rule.
    private func file(_ rule: String, offset: Int32 = 0, version: UInt8 = 0x32) -> [UInt8] {
        func block() -> [UInt8] {
            func number(_ value: Int32) -> [UInt8] {
                (0..<4).map { UInt8(truncatingIfNeeded: value >> Int32(24 - $0 * 8)) }
            }
            let counts: [Int32] = [0, 0, 0, 0, 1, 4]
            return Array("TZif".utf8) + [version] + [UInt8](repeating: 0, count: 15) + counts.flatMap(number)
                + number(offset) + [0, 0] + Array("XXX\0".utf8)
        }
        return block() + block() + Array("\n\(rule)\n".utf8)
    }

    private func offset(_ rule: String, _ time: String) throws -> Int {
        let rules = try #require(TimeZoneFile.rules(named: "X", file(rule)), "\(rule)")
        return rules.offset(at: try #require(Timestamp.date(from: time)))
    }

    @Test(
        "the rule behind the table",
        arguments: [
            ("CET-1CEST,M3.5.0,M10.5.0/3", "2050-03-27T00:59:59", 3600),
            ("CET-1CEST,M3.5.0,M10.5.0/3", "2050-03-27T01:00:00", 7200),
            ("CET-1CEST,M3.5.0,M10.5.0/3", "2050-10-30T01:00:00", 3600),
            ("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "2050-01-01T00:00:00", 39_600),
            ("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "2050-07-01T00:00:00", 37_800),
            ("IST-1GMT0,M10.5.0,M3.5.0/1", "2050-01-01T00:00:00", 0),
            ("IST-1GMT0,M10.5.0,M3.5.0/1", "2050-07-01T00:00:00", 3600),
            ("EST5EDT,0/0,J365/25", "2050-01-01T04:59:59", -14_400),
            ("EST5EDT,0/0,J365/25", "2050-07-01T00:00:00", -14_400),
            ("AAA0BBB,J60/0,J300/0", "2052-02-29T12:00:00", 0), ("AAA0BBB,J60/0,J300/0", "2052-03-01T00:00:00", 3600),
            ("AAA0BBB,59/0,300/0", "2052-02-29T00:00:00", 3600),
            ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2050-03-27T00:59:59", -7200),
            ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2050-03-27T01:00:00", -3600),
        ])
    func rules(rule: String, time: String, expected: Int) throws {
        #expect(try offset(rule, time) == expected)
    }

    @Test(
        "what is no rule makes the file unreadable",
        arguments: [
            "CET", "CET-1CEST", "C-1", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0/x",
        ])
    func badRules(rule: String) {
        #expect(TimeZoneFile.rules(named: "X", file(rule)) == nil)
    }

    @Test("no damaged file is read beyond its end, or at all")
    func damage() throws {
        let data = try #require(FileManager.default.contents(atPath: "/usr/share/zoneinfo/Europe/Warsaw"))
        let whole = [UInt8](data)
        #expect(TimeZoneFile.rules(named: "X", whole) != nil)
        for length in 0..<whole.count - 40 { #expect(TimeZoneFile.rules(named: "X", Array(whole[..<length])) == nil) }
        for index in whole.indices {
            for byte in [UInt8(0), 0x7F, 0xFF] {
                var damaged = whole
                damaged[index] = byte
                // Whatever it says, it says it without a crash.
                if let rules = TimeZoneFile.rules(named: "X", damaged) { _ = rules.instant(of: 1_800_000_000) }
            }
        }
    }

    @Test(
        "an unknown zone suggests the nearest",
        arguments: [
            ("Warsaw", "did you mean Europe/Warsaw"), ("Europe/Warschau", "Europe/Warsaw"),
            ("europe/warsaw", "Europe/Warsaw"),
            ("America/New York", "America/New_York"), ("Asia/Calcuta", "Asia/Calcutta"), ("xyzzy!", "names are like"),
            ("../../etc/passwd", "there is no time zone"), ("/etc/passwd", "there is no time zone"),
            ("", "names are like"),
            ("Europe", "there is no time zone"),
        ])
    func suggestions(name: String, hint: String) throws {
        let error = try #require(throws: ScheduleError.self) { try TimeZoneDatabase.system.rules(named: name) }
        #expect(error.code == .unknownZone)
        #expect(error.description.contains(hint), "\(error)")
    }

    @Test("without a database, UTC works and all else says which package to install")
    func missing() throws {
        let database = TimeZoneDatabase(directories: ["/nonexistent/zoneinfo"])
        #expect(try database.rules(named: "UTC") == .utc)
        let error = try #require(throws: ScheduleError.self) { try database.rules(named: "Europe/Warsaw") }
        #expect(error.code == .noZoneDatabase)
        #expect(error.description.contains("tzdata"))
    }

    @Test("a database that is replaced is read anew; one that is away or damaged changes nothing")
    func replaced() throws {
        let directory = FileManager.default.temporaryDirectory.path + "/zones-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        func write(_ bytes: [UInt8]) throws {
            try Data(bytes).write(to: URL(fileURLWithPath: directory + "/new"))
            try? FileManager.default.removeItem(atPath: directory + "/Mars")
            try FileManager.default.moveItem(atPath: directory + "/new", toPath: directory + "/Mars")
        }
        let database = TimeZoneDatabase(directories: [directory])
        func offset() throws -> Int { try database.rules(named: "Mars").offset(at: Date()) }
        try write(file("MAR-1", offset: 3600))
        #expect(try offset() == 3600)
        try write(file("MARS-2:30", offset: 9000))
        #expect(try offset() == 9000)
        try write(Array("no zone".utf8))
        #expect(try offset() == 9000)
        try FileManager.default.removeItem(atPath: directory + "/Mars")
        #expect(try offset() == 9000)
    }
}
