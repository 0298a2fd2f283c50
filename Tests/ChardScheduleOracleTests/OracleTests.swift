// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestServers
import Testing

@testable import Chard

/// Our arithmetic of cron expressions and time zones, beside one that shares nothing with it but the system's database.
@Suite("Ticks around every change of every time zone", .timeLimit(.minutes(10)))
struct OracleTests {
    private struct Form {
        var reach: Int
        var isRare: Bool
        var expression: CronExpression
    }

    @Test(
        "croniter and zoneinfo in Python reckon the same ticks, forwards and backwards; CHARD_ORACLE=full takes all of them"
    )
    func sameTicks() async throws {
        let isFull = ProcessInfo.processInfo.environment["CHARD_ORACLE"] == "full"
        let oracle = try ask(isFull ? ["--full"] : [])
        try await oracle.finished(within: .seconds(500))
        var forms: [Form] = []
        var zone = TimeZoneRules.utc
        var changes: [Int] = []
        var zones = 0
        var ticks = 0
        for line in oracle.output.split(separator: "\n") {
            let words = line.split(separator: " ")
            switch words[0] {
            case "form":
                let rule = try #require(CronExpression.DayRule(rawValue: String(words[4])))
                forms.append(
                    Form(
                        reach: try #require(Int(words[2])), isRare: words[3] == "1",
                        expression: try CronExpression(words[5...].joined(separator: " "), days: rule)))
            case "zone":
                zone = try TimeZoneDatabase.system.rules(named: String(words[1]))
                zones += 1
            case "changes":
                changes = words[1...].compactMap { Int($0) }
            default:
                let index = try #require(Int(words[0]))
                let ours = reckon(forms[index], zone, changes)
                ticks += ours.count
                guard ours.count != Int(words[1]) || crc(ours) != UInt32(words[2]) else { continue }
                Issue.record("\(try await difference(ours, index, zone, forms[index]))")
                return
            }
        }
        #expect(zones > 200, "\(oracle.talk)")
        #expect(ticks > 350_000)
    }

    private func ask(_ arguments: [String]) throws -> Program {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../Interop/schedule_oracle.py").standardizedFileURL.path
        return try Program(try Program.python(), [script] + arguments)
    }

    private func reckon(_ form: Form, _ zone: TimeZoneRules, _ changes: [Int]) -> [Int] {
        var all: [Int] = []
        for change in changes {
            let (first, last) = (change - form.reach, change + form.reach)
            var ticks: [Int] = []
            var time = first - 1
            while let tick = form.expression.next(after: time, zone), tick <= last {
                ticks.append(tick)
                time = tick
            }
            var backwards: [Int] = []
            time = last + 1
            while let tick = form.expression.previous(before: time, zone), tick >= first {
                backwards.append(tick)
                time = tick
            }
            if ticks != backwards.reversed() {
                Issue.record("\(form.expression) in \(zone.name) at \(change): \(ticks), backwards \(backwards)")
            }
            all += ticks
            if form.isRare {
                all.append(form.expression.previous(before: first, zone) ?? 0)
                all.append(form.expression.next(after: last, zone) ?? 0)
            }
        }
        return all
    }

    /// The first tick in which we differ.
    private func difference(_ ours: [Int], _ index: Int, _ zone: TimeZoneRules, _ form: Form) async throws -> String {
        let oracle = try ask(["--zone", zone.name, "--form", "\(index)"])
        try await oracle.finished()
        let theirs = oracle.output.split(separator: "\n").compactMap { Int($0) }
        let place =
            zip(ours, theirs).enumerated().first { $0.element.0 != $0.element.1 }?.offset
            ?? min(ours.count, theirs.count)
        func around(_ ticks: [Int]) -> String {
            ticks[max(0, min(place - 2, ticks.count))..<min(ticks.count, place + 3)]
                .map { Timestamp.text(for: Date(timeIntervalSince1970: Double($0))) }.joined(separator: " ")
        }
        return """
            \(form.expression) (\(form.expression.dayRule)) in \(zone.name): \(ours.count) ticks here, \(theirs.count) there
            ours:   \(around(ours))
            theirs: \(around(theirs))
            """
    }

    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }

    /// CRC-32, as zlib has it.
    private func crc(_ numbers: [Int]) -> UInt32 {
        var value = UInt32.max
        for number in numbers {
            for shift in stride(from: 0, to: 64, by: 8) {
                value = Self.table[Int((value ^ UInt32(truncatingIfNeeded: number >> shift)) & 0xFF)] ^ value >> 8
            }
        }
        return ~value
    }
}
