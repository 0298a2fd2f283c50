// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import TestServers
import Testing

@testable import ChardRedis

/// Servers and proxies that lack commands: what can be done is done, the rest is named.
@Suite("Redis servers that lack commands", .atOnce(4), .timeLimit(.minutes(3)))
struct PoorServerTests {
    private func without(_ commands: [String], _ body: (BrokerBench) async throws -> Void) async throws {
        let lines = commands.map { "rename-command \($0) \"\"" }
        try await RedisServer.with(RedisServer.Configuration(lines: lines)) { try await body(BrokerBench(server: $0)) }
    }

    @Test(
        "a worker does without SCRIPT, EVALSHA and INFO",
        arguments: [["SCRIPT"], ["EVALSHA", "SCRIPT"], ["INFO"], ["SCRIPT", "INFO", "CONFIG"]])
    func working(commands: [String]) async throws {
        try await without(commands) { bench in
            let app = try bench.app()
            let add = app.task("add") { (x: Int, y: Int) in x + y }
            try await bench.working(app) { _ in
                #expect(try await add.enqueue(2, 3).value(timeout: .seconds(10)) == 5)
                let later = try await add.enqueue(2, 4, options: EnqueueOptions(countdown: .milliseconds(300)))
                #expect(try await later.value(timeout: .seconds(10)) == 6)
            }
            #expect(try await app.operator.queues.reports().map(\.queue) == ["celery"])
            let findings = try await app.operator.diagnose()
            if commands.contains("INFO") {
                #expect(findings.contains { $0.subject == "server" && $0.text.contains("INFO") }, "\(findings)")
            }
        }
    }

    @Test("without scripts at all, the looks work, and what is missing is named")
    func noScripts() async throws {
        try await without(["EVAL", "EVALSHA", "SCRIPT"]) { bench in
            let app = try bench.app()
            let add = app.task("add") { (x: Int, y: Int) in x + y }
            _ = try await add.enqueue(2, 3)
            let report = try #require(try await app.operator.queues.reports().first)
            #expect(report.waiting == 1 && report.oldestWait != nil)
            #expect(try await app.operator.queues.waiting(in: "celery").count == 1)
            let error = try #require(
                await #expect(throws: BrokerError.self) { try await Worker(app).run() })
            #expect(error.message.contains("EVALSHA"), "\(error)")
        }
    }

    @Test("a server without LMOVE: the commands that a worker lacks are named")
    func old() async throws {
        try await without(["LMOVE", "BLMOVE"]) { bench in
            let app = try bench.app()
            app.task("nothing") {}
            let error = try #require(
                await #expect(throws: BrokerError.self) { try await Worker(app).run() })
            #expect(error.message.contains("does not know BLMOVE, LMOVE"), "\(error)")
        }
    }

    @Test("a replica can be looked at, and looking writes nothing")
    func replica() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            try await app.broker.send([
                bench.message("t"),
                OutgoingMessage(id: "later", queue: "celery", dueAt: Date() + 600, payload: bench.message("t").payload),
            ])
            let lines = ["replicaof 127.0.0.1 \(bench.server.port)"]
            try await RedisServer.with(RedisServer.Configuration(lines: lines)) { server in
                try await eventually("it is in step", within: .seconds(30)) {
                    try await server.cli("EXISTS", "celery", "chard:{celery}:delayed") == "2"
                }
                let replica = Chard("replica", broker: RedisBroker(try RedisURL(server.url)))
                #expect(try await replica.operator.queues.reports().map(\.waiting) == [1])
                #expect(try await replica.operator.delayedTasks.list().count == 1)
                #expect(try await replica.operator.deadLetters.list().isEmpty)
                #expect(try await replica.operator.workers().isEmpty)
                #expect(
                    try await replica.operator.diagnose().contains { $0.subject == "role" && $0.severity == .danger })
            }
        }
    }
}
