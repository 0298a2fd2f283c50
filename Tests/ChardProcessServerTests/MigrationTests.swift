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
                let left = try await first.queues().reduce(0) { $0 + $1.waiting + $1.scheduled + $1.leased + $1.dead }
                #expect(left == 0)
                for (id, _, _) in load.statuses { #expect(try await first.status(of: id) == nil) }

                let again = try await Self.migrate(files.url("first.db"), bench.server.url)
                #expect(again.status == 0, "\(again)")
                let moved = try again.json["queues"]?.array?.map { [$0["waiting"], $0["scheduled"], $0["dead"]] }
                #expect(moved == [[0, 0, 0], [0, 0, 0]], "\(again)")

                let back = try await Self.migrate(bench.server.url, files.url("second.db"))
                #expect(back.status == 0, "\(back)")
                try Self.expectCounts(of: load, in: back)
                let keys = try await bench.keys("celery*") + bench.keys("chard:dead*")
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
        #expect(json["revocations"] == 1 && json["left"] == 0, "\(run)")
        let queues = json["queues"]?.array ?? []
        #expect(queues.map { $0["queue"] } == ["celery", "mail"], "\(run)")
        #expect(queues.map { $0["waiting"] } == [30, 5], "\(run)")
        #expect(queues.map { $0["scheduled"] } == [1, 2], "\(run)")
        #expect(queues.map { $0["dead"] } == [1, 1], "\(run)")
        #expect(queues.map { $0["paused"] } == [false, true], "\(run)")
    }
}
