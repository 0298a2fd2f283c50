// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import Foundation
import TestServers
import Testing

@Suite("Beats as processes on a real server", .timeLimit(.minutes(6)))
struct BeatTests {
    /// When each tick that waits in a queue was, in seconds since 1970, the oldest first.
    private func ticks(_ bench: ProcessBench, _ queue: String) async throws -> [Int] {
        let entries = try await bench.redis(RedisCommand("LRANGE", queue, 0, -1)).array ?? []
        return try entries.reversed().map { entry in
            let message = try TaskMessage(decoding: try #require(entry.bytes))
            let tick = try #require(message.headers["chard_tick"]?.string.flatMap(Timestamp.date))
            return Int(tick.timeIntervalSince1970.rounded())
        }
    }

    /// By how many milliseconds the last tick was late.
    private func lateness(_ bench: ProcessBench, of name: String) async throws -> Int {
        let times = try await bench.redis(RedisCommand("HMGET", "chard:schedule:\(name)", "tick", "at")).array ?? []
        return times.reduce(0) { (Int($1.text ?? "") ?? 0) - $0 }
    }

    /// `CHARD_BEAT_SECONDS=180` plays the long form.
    @Test("three beats, one killed or stopped every few seconds: every tick of a 1-second schedule once, none twice")
    func mishaps() async throws {
        let seconds = Int(ProcessInfo.processInfo.environment["CHARD_BEAT_SECONDS"] ?? "") ?? 15
        let isLong = seconds > 60
        try await ProcessBench.with { bench in
            var fleet = try await BeatFleet(bench, count: 3)
            let added = try await bench.chard("beat", "add", "tick", "--every", "1", "--task", "none", "-Q", "ticks")
            #expect(added.status == 0, "\(added)")
            let end = ContinuousClock.now + .seconds(seconds)
            var lateness: [Int] = []
            while .now < end {
                if fleet.kills <= fleet.stops {
                    try await Task.sleep(for: .seconds(isLong ? 5 : 2))
                    try await fleet.kill()
                } else {
                    try await Task.sleep(for: .seconds(1))
                    try await fleet.freeze(for: .seconds(isLong ? 4 : 2))
                }
                lateness.append(try await self.lateness(bench, of: "tick"))
            }
            #expect(try await bench.chard("beat", "pause", "tick").status == 0)
            #expect(try await fleet.stop() == [0, 0, 0])
            let ticks = try await ticks(bench, "ticks")
            let first = try #require(ticks.first)
            #expect(ticks == ticks.indices.map { first + $0 })
            #expect(ticks.count >= seconds - 1)
            let shown = try #require(try await bench.chard("beat", "--list", "--json").json[0])
            #expect(shown["sent"] == .integer(ticks.count))
            #expect(shown["dropped"] == 0)
            Attachment.record(
                "\(ticks.count) ticks in \(seconds) s, \(fleet.kills) kills, \(fleet.stops) stops, late by \(lateness) ms",
                named: "figures.txt")
        }
    }

    @Test("everything stopped for 60 ticks: catch-up sends and drops what is configured")
    func catchUp() async throws {
        // Ticks of an hour, the last one half an hour ago: however slow the machine, none comes while this runs.
        let hour = 3600
        let start = Int(Date().timeIntervalSince1970) - 60 * hour - hour / 2
        let rows: [(name: String, catchUp: ScheduleOptions.CatchUp, grace: Duration, sent: Int)] = [
            ("none", .none, .seconds(10), 0), ("none-in-grace", .none, .seconds(3000), 1),
            ("latest", .latest, .seconds(10), 1), ("twenty", .all(upTo: 20), .seconds(10), 20),
        ]
        try await ProcessBench.with { bench in
            for row in rows {
                let options = ScheduleOptions(
                    startsAt: Date(timeIntervalSince1970: Double(start)), catchUp: row.catchUp, grace: row.grace)
                var record = ScheduleRecord(row.name)
                record.change = Schedule(
                    row.name, .every(.seconds(hour)), call: PeriodicCall("t", queue: row.name), options: options)
                // As a beat left it that was stopped then.
                record.progress = .init(last: start * 1000)
                #expect(try await bench.broker.keepWhole(record, replacing: 0))
            }
            let fleet = try await BeatFleet(bench, count: 1)
            try await eventually("all ticks are dealt with") {
                try await bench.broker.schedules().records.allSatisfy { $0.progress.sent + $0.progress.dropped > 0 }
            }
            #expect(try await fleet.stop() == [0])
            for row in rows {
                let missed = (1...60).map { start + $0 * hour }
                #expect(try await ticks(bench, row.name) == missed.suffix(row.sent), "\(row.name)")
                let progress = try await bench.broker.schedules().records.first { $0.name == row.name }?.progress
                #expect(progress?.sent == row.sent && progress?.dropped == 60 - row.sent, "\(row.name)")
            }
        }
    }

    @Test("schedules by command: add, list, change, pause, resume, run, remove")
    func commands() async throws {
        try await ProcessBench.with { bench in
            #expect(try await bench.chard("beat", "--list", "--json").json == [])
            let added = try await bench.chard(
                "beat", "add", "report", "--cron", "30 7 1 * *", "--zone", "Europe/Warsaw", "--task", "shop.report",
                "--args", "[1]", "--kwargs", #"{"kind": "full"}"#, "-Q", "reports")
            #expect(added.status == 0, "\(added)")
            #expect(
                added.output
                    == "report is added: at 07:30 on the first day of the month, Europe/Warsaw\n")
            let listed = try await bench.chard("beat", "--list")
            #expect(listed.status == 0, "\(listed)")
            #expect(listed.output.contains(#"shop.report(1, kind="full") on reports"#), "\(listed)")
            #expect(listed.lines.count { $0.contains(" 07:30:00 +0") } == 5, "\(listed)")
            let shown = try #require(try await bench.chard("beat", "--list", "--json").json[0])
            #expect(shown["origin"] == "operator")
            #expect(shown["cron"] == "30 7 1 * *")
            #expect(shown["next"]?.array?.count == 5)
            #expect(shown["description"] == "at 07:30 on the first day of the month, Europe/Warsaw")

            let changed = try await bench.chard("beat", "add", "report", "--every", "90", "--json")
            #expect(changed.status == 0, "\(changed)")
            #expect(try changed.json["every"] == 90.0)
            #expect(try changed.json["args"] == [1])
            #expect(try await bench.chard("beat", "pause", "report").output == "report is paused\n")
            #expect(try await bench.chard("beat", "--list", "--json").json[0]?["active"] == false)
            #expect(try await bench.chard("beat", "resume", "report", "--json").json["resumed"] == true)
            let id = try #require(try await bench.chard("beat", "run", "report", "--json").json["id"]?.string)
            let message = try #require(try await bench.redis(RedisCommand("LINDEX", "reports", 0)).bytes)
            #expect(try TaskMessage(decoding: message).id == id)
            let reset = try await bench.chard("beat", "reset", "report")
            #expect(reset.status == 1 && reset.isOneLine, "\(reset)")
            #expect(try await bench.chard("beat", "remove", "report").status == 0)
            for command in ["pause", "resume", "run", "remove"] {
                let missing = try await bench.chard("beat", command, "report")
                #expect(missing.status == 1 && missing.isOneLine, "\(missing)")
            }
        }
    }

    @Test(
        "wrong schedules are refused with what would be right",
        arguments: [
            (["--every", "60"], "say what to call, with --task"), (["--task", "t"], "with --cron or --every"),
            (["--task", "t", "--cron", "61 * * * *"], "minute: 61 is out of range 0-59"),
            (["--task", "t", "--cron", "0 0 30 2 *"], "never comes"),
            (["--task", "t", "--cron", "@daily", "--zone", "Warsaw"], "did you mean Europe/Warsaw"),
            (["--task", "t", "--every", "0.01"], "at least a tenth of a second"),
            (["--task", "t", "--every", "1", "--zone", "UTC"], "go with '--cron'"),
            (["--task", "t", "--every", "1", "--catch-up", "some"], "catch-up"),
        ])
    func refused(words: [String], complaint: String) async throws {
        try await ProcessBench.with { bench in
            let run = try await CommandRun(bench.start("chard", ["beat", "add", "s"] + words))
            #expect(run.status == 2 && run.talk.contains(complaint), "\(run)")
        }
    }

    @Test("worker --beat runs what its own beat sends, and both end together")
    func workerWithBeat() async throws {
        try await ProcessBench.with { bench in
            let worker = try await bench.worker("--beat", "-c", "2")
            let added = try await bench.chard(
                "beat", "add", "mark", "--every", "0.2", "--task", "interop.mark", "--args", #"["beat", 7]"#)
            #expect(added.status == 0, "\(added)")
            let marks = try await bench.marks("beat", count: 3)
            #expect(marks.allSatisfy { $0.value == 7 && $0.processID == worker.id })
            try await bench.stop(worker)
        }
    }

    @Test("scheduled: list, show, move, run, cancel")
    func scheduled() async throws {
        try await ProcessBench.with { bench in
            #expect(try await bench.chard("scheduled", "--json").json == [])
            let task = try await bench.app.send(
                "interop.add", Arguments([1, 2]), options: EnqueueOptions(countdown: .seconds(3600)))
            let listed = try await bench.chard("scheduled")
            #expect(listed.status == 0 && listed.lines.count == 2 && listed.output.contains(task.id), "\(listed)")
            let moved = try await bench.chard("scheduled", "move", task.id, "--eta", "2099-01-01T00:00:00Z", "--json")
            #expect(moved.status == 0, "\(moved)")
            let shown = try await bench.chard("scheduled", "show", task.id, "--json").json
            #expect(shown["due"] == "2099-01-01T00:00:00.000000+00:00")
            #expect(shown["task"] == "interop.add")
            #expect(shown["payload_text"]?.string?.contains("2099-01-01") == true)
            #expect(try await bench.chard("scheduled", "run", task.id).status == 0)
            #expect(try await bench.redis(RedisCommand("LLEN", "celery")).integer == 1)
            for command in ["show", "run", "cancel"] {
                let missing = try await bench.chard("scheduled", command, task.id)
                #expect(missing.status == 1 && missing.isOneLine, "\(missing)")
            }
            let other = try await bench.app.send("interop.add", options: EnqueueOptions(countdown: .seconds(60)))
            #expect(try await bench.chard("scheduled", "cancel", other.id, "--json").json["cancelled"] == true)
            #expect(try await other.status().state == .revoked)
        }
    }
}
