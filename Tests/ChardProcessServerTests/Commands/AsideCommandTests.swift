// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import Foundation
import TestServers
import Testing

@Suite("What was put aside, by command", .timeLimit(.minutes(2)))
struct AsideCommandTests {
    @Test("aside: list, restore, drop; doctor names it, and the queue is served")
    func aside() async throws {
        try await ProcessBench.with { bench in
            let none = try await bench.chard("aside")
            #expect(none.status == 0 && none.output.isEmpty && none.talk.contains("nothing was put aside"), "\(none)")
            #expect(try await bench.chard("aside", "list", "--json").json == [])
            _ = try await bench.redis(RedisCommand("SET", "celery", "somebody's text"))
            let worker = try await bench.worker("-c", "1")
            try await eventually("it is put aside") {
                try await bench.chard("aside", "--json").json.array?.count == 1
            }
            #expect(worker.talk.contains("'aside list' shows it"), "\(worker.talk)")
            let sum = try await bench.chard("send", "interop.add", "--args", "[2, 3]", "--wait", "10")
            #expect(sum.status == 0 && sum.output.contains("5"), "\(sum)")
            let item = try #require(try await bench.chard("aside", "--json").json.array?.first)
            #expect(item["place"] == "celery" && item["kind"] == "string" && item["expected"] == "list", "\(item)")
            #expect(item["size"] == 15 && item["reason"]?.string?.contains("WRONGTYPE") == true, "\(item)")
            let name = try #require(item["name"]?.string)
            let listed = try await bench.chard("aside")
            let words = listed.lines.last?.split(separator: " ").prefix(4).map(String.init)
            #expect(listed.lines.count == 2 && words == [name, "celery", "string", "list"], "\(listed)")
            let doctor = try await bench.chard("doctor")
            #expect(doctor.output.contains("put aside: 1") && doctor.output.contains("aside drop \(name)"), "\(doctor)")
            try await bench.stop(worker)

            _ = try await bench.redis(RedisCommand("RPUSH", "celery", "in the way"))
            let refused = try await bench.chard("aside", "restore", name)
            #expect(refused.status == 1 && refused.isOneLine, "\(refused)")
            _ = try await bench.redis(RedisCommand("DEL", "celery"))
            #expect(try await bench.chard("aside", "restore", name).output == "1 restored\n")
            #expect(try await bench.redis(RedisCommand("GET", "celery")).text == "somebody's text")
            let gone = try await bench.chard("aside", "drop", name, "--json")
            #expect(gone.status == 1, "\(gone)")
            #expect(try gone.json == ["dropped": [], "missing": [.string(name)]])
        }
    }

    @Test("in a file nothing is ever put aside")
    func file() async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("aside-\(UUID())").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let program = try Program(
            "chard", ["aside", "--json"], environment: ["CHARD_BROKER_URL": "sqlite:///\(directory)/chard.db"])
        let run = try await CommandRun(program)
        #expect(run.status == 0 && run.output == "[]\n", "\(run)")
    }

    @Test("queues tells of lists that nobody reads, and of none where the steps are set")
    func unread() async throws {
        try await ProcessBench.with { bench in
            try await bench.app.send("interop.add", Arguments([1, 2]))
            for _ in 0..<2 { _ = try await bench.redis(RedisCommand("LPUSH", "celery:4", "{}")) }
            let listed = try await bench.chard("queues")
            #expect(
                listed.status == 0 && listed.talk.contains("nobody reads celery:4, where 2 messages wait"), "\(listed)")
            let all = try await bench.chard("queues", "--json").json.array ?? []
            #expect(all.first?["unread"] == [["list": "celery:4", "count": 2]], "\(all)")
            let set = try await CommandRun(
                Program(
                    "chard", ["queues", "--json"],
                    environment: [
                        "CHARD_BROKER_URL": bench.server.url, "CHARD_PRIORITY_STEPS": "0,4",
                        "CHARD_PRIORITY_SEPARATOR": ":",
                    ]))
            #expect(try set.json.array?.first?["waiting"] == 3, "\(set)")
            #expect(try set.json.array?.first?["unread"] == [], "\(set)")
            for steps in ["0,x", "1,2", "0,10"] {
                let refused = try await CommandRun(
                    Program(
                        "chard", ["queues"],
                        environment: ["CHARD_BROKER_URL": bench.server.url, "CHARD_PRIORITY_STEPS": steps]))
                #expect(refused.status == 2 && refused.isOneLine, "\(refused)")
                #expect(refused.talk.contains("CHARD_PRIORITY_STEPS"), "\(refused)")
            }
        }
    }
}
