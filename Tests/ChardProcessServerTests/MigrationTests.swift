// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import ChardSQLite
import Foundation
import TestServers
import Testing

@Suite("migrate: from one broker to another, on real ones", .timeLimit(.minutes(4)))
struct MigrationTests {
    @Test("there and back: everything arrives byte for byte and once, and a second run changes nothing")
    func thereAndBack() async throws {
        try await Files.with { files in
            try await ProcessBench.with { bench in
                let load = MigrationLoad()
                let first = files.broker("first.db")
                try await load.put(into: first)

                let there = try await Self.migrate(files.url("first.db"), bench.server.url)
                #expect(there.status == 0, "\(there)")
                try Self.expectCounts(of: load, in: there)
                #expect(there.talk.contains("celery: 30 waiting, 1 scheduled, 1 dead"), "\(there)")
                let left = try await first.queues().reduce(0) { $0 + $1.waiting + $1.delayed + $1.leased + $1.dead }
                #expect(left == 0)
                for (id, _, _) in load.statuses { #expect(try await first.status(of: id) == nil) }
                #expect(try await first.schedules().records.isEmpty)
                try await load.expectSchedules(in: bench.broker)

                let again = try await Self.migrate(files.url("first.db"), bench.server.url)
                #expect(again.status == 0, "\(again)")
                let moved = try again.json["queues"]?.array?.map { [$0["waiting"], $0["scheduled"], $0["dead"]] }
                #expect(moved == [[0, 0, 0], [0, 0, 0]], "\(again)")

                let back = try await Self.migrate(bench.server.url, files.url("second.db"))
                #expect(back.status == 0, "\(back)")
                try Self.expectCounts(of: load, in: back)
                let keys = try await bench.keys("celery*") + bench.keys("chard:*dead*") + bench.keys("chard:schedule:*")
                #expect(keys.isEmpty)
                let second = files.broker("second.db")
                try await load.expect(in: second)
                await first.shutdown()
                await second.shutdown()
            }
        }
    }

    @Test("killed in the middle and run again: nothing is lost", arguments: [true, false])
    func killed(isFromFile: Bool) async throws {
        try await Files.with { files in
            try await ProcessBench.with { bench in
                let file = files.broker("tasks.db")
                let source: any InspectableBroker = isFromFile ? file : bench.broker
                let target: any InspectableBroker = isFromFile ? bench.broker : file
                let urls = isFromFile ? [source.location, bench.server.url] : [bench.server.url, target.location]
                let count = 20_000
                for start in stride(from: 0, to: count, by: 2_000) {
                    try await source.send(
                        (start..<start + 2_000).map { number in
                            let message = RawMessage("interop.add", id: "task-\(number)")
                            return OutgoingMessage(id: message.id, queue: "celery", payload: message.payload)
                        })
                }
                func waiting(_ broker: any InspectableBroker) async throws -> Int {
                    try await broker.queues().first { $0.queue == "celery" }?.waiting ?? 0
                }
                let program = try Program("chard", ["migrate", "--from", urls[0], "--to", urls[1]])
                try await eventually("some have moved", within: .seconds(30)) { try await waiting(target) >= 2_000 }
                program.signal(9)
                #expect(try await program.finished() == -9)
                #expect(try await waiting(source) > 0, "it was killed too late to tell")

                let rest = try await Self.migrate(urls[0], urls[1])
                #expect(rest.status == 0, "\(rest)")
                let left = try await source.queues().reduce(0) { $0 + $1.waiting + $1.leased + $1.dead }
                #expect(left == 0)
                let ids = try await target.claimAll("celery").map { try TaskMessage(decoding: $0).id }
                #expect(Set(ids).count == count)
                #expect(ids.count <= count + 500, "more than what was under way came twice")
                await file.shutdown()
            }
        }
    }

    @Test("schedules where the target has some: its code and what it has sent count, and the operator's orders")
    func schedules() async throws {
        func record(
            _ name: String, every seconds: Int, sent: Int = 0, _ change: (inout ScheduleRecord) -> Void = { _ in }
        ) -> ScheduleRecord {
            var record = ScheduleRecord(name)
            record.app = "shop"
            record.code = Schedule(name, .every(.seconds(seconds)), call: PeriodicCall("t", queue: "celery"))
            record.progress = .init(last: 1000 + seconds, sent: sent)
            change(&record)
            return record
        }
        let pause: (inout ScheduleRecord) -> Void = { $0.isPaused = true }
        let before = [
            record("ahead", every: 60, sent: 9, pause), record("known", every: 60, sent: 9, pause),
            record("ordered", every: 60, sent: 9, pause), record("same", every: 60, sent: 9, pause),
        ]
        let present = [
            record("ahead", every: 30, sent: 1), record("known", every: 30),
            record("ordered", every: 30) { $0.isRemoved = true },
            // As one that was killed between the writing and the removing leaves it.
            before[3], record("unknown", every: 30),
        ]
        let expected = [
            record("ahead", every: 30, sent: 1, pause),
            record("known", every: 30, sent: 9) {
                $0.isPaused = true
                $0.progress.last = 1060
            },
            present[2], present[3], present[4],
        ]
        try await Files.with { files in
            try await ProcessBench.with { bench in
                for (source, target, urls) in [
                    (files.broker("a.db") as any MovableBroker, bench.broker as any MovableBroker, ["a.db", nil]),
                    (bench.broker, files.broker("b.db"), [nil, "b.db"]),
                ] {
                    for record in try await source.schedules().records {
                        #expect(try await source.forgetSchedule(record.name, version: record.version))
                    }
                    for record in before { #expect(try await source.keepWhole(record, replacing: 0)) }
                    for record in present { #expect(try await target.keepWhole(record, replacing: 0)) }
                    let places = urls.map { name in name.map { files.url($0) } ?? bench.server.url }
                    let run = try await Self.migrate(places[0], places[1])
                    #expect(try run.status == 0 && run.json["schedules"] == 4, "\(run)")
                    #expect(try await source.schedules().records.isEmpty)
                    let found = try await target.schedules().records.map { record in
                        var record = record
                        record.version = 0
                        return record
                    }
                    #expect(found == expected)
                }
            }
        }
    }

    @Test("workers alive at the source: refused; with --force all goes but what they hold")
    func workersAlive() async throws {
        try await Files.with { files in
            let source = files.broker("tasks.db")
            try await source.send(
                (0..<3).map { OutgoingMessage(id: "\($0)", queue: "celery", payload: RawMessage("t").payload) })
            let worker = try await source.consumer(
                for: Subscription(queues: ["celery"], node: "busy@here", concurrency: 1, startedAt: Date()))
            let held = try await worker.claim(upTo: 1)
            #expect(held.count == 1)
            let refused = try await Self.migrate(files.url("tasks.db"), files.url("other.db"))
            #expect(refused.status == 1 && refused.isOneLine && refused.talk.contains("busy@here"), "\(refused)")
            let forced = try await Self.migrate(files.url("tasks.db"), files.url("other.db"), "--force")
            #expect(forced.status == 1, "\(forced)")
            #expect(try forced.json["left"] == 1 && forced.json["queues"]?[0]?["waiting"] == 2, "\(forced)")
            await worker.close()
            await source.shutdown()
        }
    }

    @Test("what makes no sense is refused in one line, and moves nothing")
    func refusals() async throws {
        try await Files.with { files in
            let broker = files.broker("tasks.db")
            try await broker.store([StatusRecord(TaskStatus(id: "x", state: .success), timeToLive: nil)])
            let url = files.url("tasks.db")
            let table: [(words: [String], status: Int32)] = [
                (["--from", url], 2), (["--from", url, "--to", "memory://"], 2),
                (["--from", "memory://", "--to", url], 2), (["--from", url, "--to", url], 2),
                (["--from", url, "--to", files.url("./tasks.db")], 2), (["--from", url, "--to", "amqp://h/"], 2),
                (["--from", url, "--to", files.url("other.db"), "--broker", url], 2),
                (["--from", url, "--to", "redis://127.0.0.1:1/0"], 4),
                (["--from", files.url("none.db"), "--to", url], 4),
            ]
            for (words, status) in table {
                let run = try await CommandRun(Program("chard", ["migrate"] + words))
                #expect(run.status == status && run.isOneLine, "\(words): \(run)")
            }
            #expect(try await broker.status(of: "x") != nil)
            await broker.shutdown()
        }
    }

    private static func migrate(_ from: String, _ to: String, _ options: String...) async throws -> CommandRun {
        try await CommandRun(
            Program("chard", ["migrate", "--from", from, "--to", to, "--json"] + options), within: .seconds(90))
    }

    private static func expectCounts(of load: MigrationLoad, in run: CommandRun) throws {
        let json = try run.json
        #expect(json["results"]?.integer == load.statuses.count, "\(run)")
        #expect(json["revocations"] == 1 && json["schedules"] == 4 && json["left"] == 0, "\(run)")
        let queues = json["queues"]?.array ?? []
        #expect(queues.map { $0["queue"] } == ["celery", "mail"], "\(run)")
        #expect(queues.map { $0["waiting"] } == [30, 5], "\(run)")
        #expect(queues.map { $0["scheduled"] } == [1, 2], "\(run)")
        #expect(queues.map { $0["dead"] } == [1, 1], "\(run)")
        #expect(queues.map { $0["paused"] } == [false, true], "\(run)")
    }
}
