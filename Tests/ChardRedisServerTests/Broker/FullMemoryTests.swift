// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import TestServers
import Testing

@testable import ChardRedis

/// A server that takes nothing which needs room: what makes room goes on.
@Suite("A Redis server whose memory is full", .atOnce(4), .timeLimit(.minutes(3)))
struct FullMemoryTests {
    private func fill(_ bench: BrokerBench) async throws {
        #expect(try await bench.server.cli("CONFIG", "SET", "maxmemory", "100kb").hasPrefix("OK"))
        #expect(try await bench.server.cli("SET", "probe", "x").contains("OOM"))
    }

    @Test("a worker goes on, whatever its tasks come to, and stops in time; a result that is too large is told")
    func running() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let text = app.task("text") { (count: Int) in String(repeating: "x", count: count) }
            let fails = app.task("fails") { (_: Int) -> Int in throw TaskError("ValueError", "no") }
            let retries = app.task(
                "retries", options: TaskOptions(retry: .constant(maxRetries: 3, delay: .seconds(600)))
            ) { (_: Int) -> Int in throw TaskError("ValueError", "no") }
            let reports = app.task("reports") { (context: TaskContext, count: Int) in
                try await context.progress(1, of: 2)
                return count
            }
            let start = ContinuousClock.now
            try await bench.working(app) { _ in
                // Held by the queue until there is no room.
                try await app.operator.queues.pause("celery")
                let small = try await text.enqueue(10)
                let large = try await text.enqueue(100_000)
                let failed = try await fails.enqueue(1)
                let retried = try await retries.enqueue(1)
                let reported = try await reports.enqueue(7)
                let unknown = try await app.send("unknown")
                try await fill(bench)
                // What the operator writes needs room; so here the order is given by hand.
                #expect(try await bench.server.cli("SREM", "chard:paused", "celery") == "1")
                _ = try await bench.server.cli("CONFIG", "SET", "maxmemory", "0")
                _ = try await bench.server.cli("INCR", "chard:orders")
                try await fill(bench)
                #expect(try await small.value(timeout: .seconds(20)).count == 10)
                #expect(try await reported.value(timeout: .seconds(20)) == 7)
                await #expect(throws: TaskError.self) { try await failed.value(timeout: .seconds(20)) }
                await #expect(throws: TaskError.self) { try await unknown.value(timeout: .seconds(20)) }
                let error = try #require(
                    await #expect(throws: TaskError.self) { try await large.value(timeout: .seconds(20)) })
                #expect(error.type == "ResultNotStored" && error.message.contains("OOM"), "\(error)")
                try await eventually("the retry is kept") { try await retried.status().state == .retry }
                #expect(try await bench.server.cli("ZCARD", "chard:{celery}:delayed") == "1")
                #expect(try await bench.server.cli("ZCARD", "chard:{celery}:dead") == "1")
                #expect(try await bench.server.cli("LLEN", "celery") == "0")
            }
            #expect(ContinuousClock.now - start < .seconds(40))
            #expect(try await bench.server.cli("HLEN", "chard:holders") == "0", "it has handed back and left")
        }
    }

    @Test("a hold can be opened and closed, a lost one is recovered, a queue purged, and doctor calls it a danger")
    func holding() async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker()
            try await broker.send(
                (0..<6).map { OutgoingMessage(id: "\($0)", queue: "celery", payload: bench.message("t").payload) })
            let lost = try await bench.consumer()
            #expect(try await lost.claim(upTo: 2).count == 2)
            try await fill(bench)
            let consumer = try await bench.consumer()
            #expect(try await consumer.claim(upTo: 3).count == 3)
            await consumer.close()
            #expect(try await bench.server.cli("LLEN", "celery") == "4")
            await lost.fallSilent()
            try await broker.declareLost(lost.identity)
            #expect(try await bench.server.cli("LLEN", "celery") == "6")
            let findings = try await broker.diagnose()
            #expect(findings.first { $0.subject == "memory" }?.severity == .danger, "\(findings)")
            #expect(try await broker.purge("celery", delayed: true) == 6)
            #expect(try await bench.server.cli("LLEN", "celery") == "0")
        }
    }
}
