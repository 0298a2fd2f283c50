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

    @Test("what is due is moved, offered, and taken back where nobody takes it; then it is claimed and settled")
    func due() async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker()
            let consumer = try await bench.consumer()
            try await eventually("it is on duty") {
                try await bench.server.cli("GET", "chard:duty") == consumer.identity
            }
            let messages = [0, 0, 0, 9].map { priority in
                var message = bench.message("t", priority: priority)
                message.dueAt = Date() + 1
                return message
            }
            try await broker.send(messages)
            try await fill(bench)
            try await eventually("they are moved") {
                try await bench.server.cli("ZCARD", "chard:{celery}:delayed") == "0"
            }
            #expect(try await bench.server.cli("EXISTS", "chard:{celery}:delayed-messages") == "0")
            // Each was offered, in a pop's list, for a moment at most: nobody took it.
            for _ in 0..<20 {
                try await eventually("what was offered is taken back") {
                    let due = try await bench.server.cli("LLEN", "chard:{celery}:due:0")
                    let urgent = try await bench.server.cli("LLEN", "chard:{celery}:due:9")
                    return due == "3" && urgent == "1"
                }
            }
            var held: [Delivery] = []
            while held.count < 4 { held += try await consumer.claim(upTo: 4 - held.count) }
            // One may be on offer just now: it comes by turns with the others of its step, and the urgent one comes after all of them.
            #expect(Set(held.map(\.payload)) == Set(messages.map(\.payload)))
            #expect(held.last?.payload == messages.last?.payload)
            #expect(try await bench.server.cli("SET", "probe", "x").contains("OOM"))
            let receipts = try await consumer.settle(held.map { Settlement($0) })
            #expect(receipts.allSatisfy { $0.end == .settled })
            let start = ContinuousClock.now
            await consumer.close()
            #expect(ContinuousClock.now - start < .seconds(3))
            #expect(try await bench.server.cli("HLEN", "chard:holders") == "0")
        }
    }

    @Test("a blocked pop gets what is due, one message after the other")
    func offered() async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker()
            let consumer = try await bench.consumer()
            async let first = consumer.claim(upTo: 1)
            try await eventually("it waits") { try await bench.blockingPops() == 1 }
            let messages = (0..<3).map { number in
                var message = bench.message("t", .integer(number))
                message.dueAt = Date() + 1 + Double(number) / 10
                return message
            }
            try await broker.send(messages)
            try await fill(bench)
            var claimed = try await first
            while claimed.count < 3 { claimed += try await consumer.claim(upTo: 1) }
            // Those that are due together come by turns, in no order that is held.
            #expect(claimed.count == messages.count)
            #expect(Set(claimed.map(\.payload)) == Set(messages.map(\.payload)))
            await consumer.close()
        }
    }

    @Test("a worker says what orders it knows and what it does, keeps its lease and its duty, and notes last chances")
    func keeping() async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker()
            let app = try bench.app()
            let hold = app.task("hold") { try await Task.sleep(for: .seconds(60)) }
            try await bench.working(app) { _ in
                let running = try await hold.enqueue()
                try await eventually("it runs") { try await broker.workers().first?.vitals.running.count == 1 }
                let holder = try #require(try await broker.workers().first?.identity)
                try await broker.pause("celery")
                try await fill(bench)
                let keys = broker.keys
                // What the worker writes by itself, now and again.
                for script in [
                    RedisScript.acknowledge.command(keys: [keys.heartbeat(holder)], 41),
                    RedisScript.tellVitals.command(keys: [keys.heartbeat(holder)], 12_000, "{\"done\": 1}"),
                    RedisScript.noteLastChance.command(keys: [keys.lastChances(holder)], running.id, 60),
                ] { #expect(try await broker.client.pipeline([script])[0].error == nil) }
                #expect(try await bench.server.cli("HGET", keys.heartbeat(holder), "orders") == "41")
                #expect(try await bench.server.cli("SMEMBERS", keys.lastChances(holder)) == running.id)
                // Longer than the lease and the duty last without being renewed.
                try await Task.sleep(for: .seconds(14))
                #expect(try await bench.server.cli("EXISTS", keys.heartbeat(holder)) == "1")
                #expect(try await bench.server.cli("GET", "chard:duty") == holder)
                _ = try await bench.server.cli("CONFIG", "SET", "maxmemory", "0")
                try await running.revoke(terminating: true)
            }
        }
    }
}
