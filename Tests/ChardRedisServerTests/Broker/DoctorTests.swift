// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import TestServers
import Testing

@testable import ChardRedis

@Suite("What doctor finds on a Redis server", .atOnce(4), .timeLimit(.minutes(2)))
struct DoctorTests {
    private func findings(_ subject: String, _ app: Chard) async throws -> [Finding] {
        try await app.operator.diagnose().filter { $0.subject == subject }
    }

    @Test("queues that are paused, that nobody serves, and dead letters")
    func queues() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            #expect(try await findings("queues", app).map(\.severity) == [.fine])
            try await app.broker.send([bench.message("t", queue: "lonely")])
            try await app.operator.queues.pause("held")
            let found = try await findings("queues", app)
            #expect(found.contains { $0.severity == .warning && $0.text.contains("held: paused") }, "\(found)")
            #expect(found.contains { $0.severity == .warning && $0.text.contains("lonely: served by no") }, "\(found)")
            let worker = Chard("w", broker: try bench.broker())
            worker.task("u") {}
            try await bench.working(worker, WorkerOptions(queues: ["lonely"], concurrency: 1)) { _ in
                try await eventually("the task that nobody knows is a dead letter") {
                    try await findings("dead letters", app).contains { $0.text.contains("1, from lonely") }
                }
                #expect(try await !findings("queues", app).contains { $0.text.contains("lonely: served") })
            }
        }
    }

    @Test("messages of clients with other steps of priority, or another separator, which nobody reads")
    func priorities() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            // A queue whose name looks like such a list is one.
            try await app.broker.send(["q", "q:2"].map { bench.message("t", queue: $0) })
            try await app.broker.send([
                OutgoingMessage(id: "a", queue: "q", priority: 6, payload: bench.message("t").payload)
            ])
            #expect(try await findings("priorities", app).isEmpty)
            _ = try await bench.server.cli("LPUSH", "q:7", "{}", "{}")
            _ = try await bench.server.cli("LPUSH", "q\u{06}\u{16}5", "{}")
            let found = try await findings("priorities", app)
            #expect(found.map(\.severity) == [.warning])
            #expect(found.first?.text.hasSuffix("looks: q at priority 5 (1), q:7 (2)") == true, "\(found)")
        }
    }

    @Test("a heartbeat without an end")
    func heartbeats() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let consumer = try await bench.consumer()
            #expect(try await findings("heartbeats", app).isEmpty)
            await consumer.fallSilent()
            #expect(try await bench.server.cli("PERSIST", "chard:heartbeat:\(consumer.identity)") == "1")
            #expect(try await findings("heartbeats", app).map(\.severity) == [.danger])
            // As after a clock that was ahead when it was renewed.
            #expect(try await bench.server.cli("EXPIRE", "chard:heartbeat:\(consumer.identity)", "7200") == "1")
            #expect(try await findings("heartbeats", app).map(\.severity) == [.danger])
        }
    }

    @Test("delayed tasks that are overdue, without a message, or in a key that holds something else")
    func delayed() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            try await app.broker.send([
                OutgoingMessage(id: "a", queue: "q", dueAt: Date() + 600, payload: bench.message("t").payload)
            ])
            #expect(try await findings("scheduled", app).isEmpty)
            _ = try await bench.server.cli("ZADD", "chard:{q}:delayed", "1000", "a")
            #expect(try await findings("scheduled", app).contains { $0.text.contains("overdue") })
            _ = try await bench.server.cli("ZADD", "chard:{q}:delayed", "1000", "b")
            #expect(try await findings("scheduled", app).contains { $0.text.contains("2 tasks have a time, and 1") })
            _ = try await bench.server.cli("SET", "chard:{q}:delayed", "no set")
            #expect(try await findings("scheduled", app).map(\.severity) == [.danger])
            #expect(try await findings("queues", app).contains { $0.severity == .danger })
        }
    }

    @Test("settings of the server, and rights, without changing anything")
    func settings() async throws {
        let lines = ["appendonly yes", "appendfsync no", "min-replicas-to-write 1"]
        try await RedisServer.with(RedisServer.Configuration(lines: lines)) { server in
            let bench = BrokerBench(server: server)
            let app = try bench.app()
            let found = try await app.operator.diagnose()
            #expect(found.first { $0.subject == "appendfsync" }?.severity == .warning)
            #expect(found.first { $0.subject == "replicas" }?.severity == .danger)
            #expect(found.first { $0.subject == "rights" }?.severity == .fine)
            _ = try await server.cli("ACL", "SETUSER", "default", "-lrem", "resetchannels")
            let rights = try #require(try await findings("rights", app).first)
            #expect(rights.severity == .warning, "\(rights)")
            for rule in ["+lrem", "&chard:*", "&celery-task-meta-*"] {
                #expect(rights.text.contains(rule), "\(rights)")
            }
            #expect(try await server.cli("DBSIZE") == "0")
        }
    }
}
