// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Synchronization
import TestServers
import Testing

@testable import ChardRedis

@Suite("Remote control on a Redis server", .timeLimit(.minutes(2)))
struct RemoteControlTests {
    @Test("a worker answers what it is asked, and nothing is left behind")
    func answers() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let started = Mutex(0)
            let long = app.task("long", parameters: ["seconds"]) { (seconds: Int) in
                started.withLock { $0 += 1 }
                try await Task.sleep(for: .seconds(seconds))
            }
            let later = try await long.enqueue(1, options: .init(countdown: .seconds(600)))
            let remote = app.operator.remote
            try await bench.working(app) { worker async throws in
                let run = try await long.enqueue(60)
                try await eventually("it runs") { started.withLock { $0 } == 1 }
                func ask(_ method: String, _ arguments: [String: JSON] = [:]) async throws -> JSON {
                    let replies = try await remote.ask(method, arguments, of: .nodes([worker.node]), for: .seconds(20))
                    #expect(replies.map(\.node) == [worker.node])
                    return replies.first?.answer ?? .null
                }
                #expect(try await ask("ping") == ["ok": "pong"])
                let active = try await ask("active")
                #expect(active[0]?["id"] == .string(run.id))
                #expect(active[0]?["args"] == [60])
                #expect(active[0]?["type"] == "long")
                #expect(try await ask("active", ["safe": true])[0]?["args"] == "(60,)")
                #expect(try await ask("reserved") == [])
                #expect(try await ask("scheduled")[0]?["request"]?["id"] == .string(later.id))
                let states = try await ask("query_task", ["ids": [.string(run.id), .string(later.id), "unknown"]])
                #expect(states[run.id]?[0] == "active")
                #expect(states[later.id]?[0] == "scheduled")
                #expect(states["unknown"] == nil)
                #expect(try await ask("registered") == ["long"])
                #expect(try await ask("active_queues")[0]?["name"] == "celery")
                let stats = try await ask("stats")
                #expect(stats["total"]?["long"] == 1)
                #expect(stats["broker"]?["transport"] == "redis")
                #expect(stats["pool"]?["max-concurrency"] == .integer(worker.concurrency))
                #expect(try await ask("no_such_method") == ["error": "KeyError('no_such_method')"])
                #expect(
                    try await ask("revoke", ["nope": 1])
                        == ["error": #"TypeError("revoke() missing 1 required positional argument: 'task_id'")"#])
                #expect(try await ask("pool_restart") == ["error": "ValueError('Pool restarts not enabled')"])
                #expect(try await ask("pool_grow", ["n": 2]) == ["ok": "pool will grow"])
                #expect(try await ask("add_consumer", ["queue": "other"]) == ["ok": "add consumer other"])
                #expect(worker.queues == ["celery", "other"])
                let error = try await ask("pool_grow", ["n": 1_000_000_000])["error"]?.string
                #expect(error?.contains("no more than 10000") == true)
                #expect(
                    try await ask("terminate", ["signal": "KILL", "task_id": .string(run.id)])
                        == ["ok": .string("terminate: \(run.id)")])
                await #expect(throws: TaskError.self) { try await run.value(timeout: .seconds(20)) }
                #expect(try await ask("revoked") == [.string(run.id)])
            }
            #expect(try await bench.server.cli("KEYS", "*pidbox*") == "")
        }
    }

    @Test("what two workers are told to revoke is one order, and holds for one that comes later")
    func revoke() async throws {
        try await BrokerBench.with { bench in
            let (first, second) = (try bench.app(), try bench.app())
            let count = first.task("count") {}
            _ = second.task("count") {}
            let delayed = try await count.enqueue(options: .init(countdown: .seconds(600)))
            try await bench.working(first, WorkerOptions(node: "one@h")) { _ async throws in
                try await bench.working(second, WorkerOptions(node: "two@h")) { _ async throws in
                    for _ in 0..<3 {
                        let replies = try await first.operator.remote.ask(
                            "revoke", ["task_id": [.string(delayed.id), "never-sent"]],
                            of: .nodes(["one@h", "two@h"]), for: .seconds(20))
                        #expect(
                            replies.map { $0.answer["ok"]?.string?.hasSuffix("flagged as revoked") } == [true, true])
                    }
                }
            }
            #expect(try await bench.server.cli("GET", "chard:orders") == "1")
            #expect(try await delayed.status().state == .revoked)
            let task = first.task("late") {}
            let late = try await task.enqueue(options: .init(id: "never-sent"))
            try await bench.working(first) { _ async throws in
                _ = await #expect(throws: TaskError.self) { try await late.value(timeout: .seconds(20)) }
            }
        }
    }

    @Test("noise on the channel harms nobody, and whoever is not meant does not answer")
    func noise() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            _ = app.task("t") {}
            let remote = app.operator.remote
            try await bench.working(app) { worker async throws in
                for text in ["", "{", "[1]", #"{"body":"x"}"#, String(repeating: "[", count: 50_000), "\u{0}\u{1}"] {
                    _ = try await bench.server.cli("PUBLISH", "/0.celery.pidbox", text)
                }
                for arguments: JSON in [["task_id": 5], ["task_id": [["x": 1]]], ["task_id": [nil]], ["task_id": ""]] {
                    let replies = try await remote.ask(
                        "revoke", arguments.object ?? [:], of: .nodes([worker.node]), for: .seconds(20))
                    #expect(replies.first?.answer["error"] != nil || replies.first?.answer["ok"] != nil)
                }
                #expect(try await remote.ask("ping", of: .nodes(["other@h"]), for: .milliseconds(100)) == [])
                #expect(try await remote.ask("ping", of: .matching("x*", .glob), for: .milliseconds(100)) == [])
                #expect(try await remote.ask("ping", of: .matching("*@*", .glob)).map(\.node) == [worker.node])
                #expect(try await bench.server.cli("GET", "chard:orders") == "")
            }
        }
    }

    @Test("a caller that is gone gets nothing, and what is not fetched goes by itself")
    func goneCaller() async throws {
        try await BrokerBench.with { bench in
            let broker = try RedisBroker(RedisURL(bench.server.url))
            let place = ControlRequest.ReplyPlace(exchange: "reply.celery.pidbox", routingKey: "gone", ticket: "t")
            let reply = ControlReply(node: "n@h", answer: ["ok": "pong"])
            try await broker.answer(reply, to: place, clock: 1)
            #expect(try await bench.server.cli("KEYS", "*gone*") == "")
            let member = "gone\u{6}\u{16}\u{6}\u{16}gone.reply.celery.pidbox"
            _ = try await bench.server.cli("SADD", "_kombu.binding.reply.celery.pidbox", member)
            try await broker.answer(reply, to: place, clock: 1)
            #expect(try await bench.server.cli("LLEN", "gone.reply.celery.pidbox") == "1")
            let left = Int(try await bench.server.cli("PTTL", "gone.reply.celery.pidbox")) ?? 0
            #expect((1...10_000).contains(left))
            await broker.shutdown()
        }
    }
}
