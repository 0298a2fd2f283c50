// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import TestServers
import Testing

@testable import ChardRedis

/// Whatever somebody else has put where something of ours should be: it is put aside, and holds up nobody.
@Suite("What is put aside on a Redis server", .atOnce(4), .timeLimit(.minutes(5)))
struct AsideTests {
    /// Keys that every worker needs, and what they should hold.
    private static let own = [
        "chard:holders": "hash", "chard:duty": "string", "chard:orders": "string", "chard:order-log": "stream",
        "chard:paused": "set", "chard:revoked": "zset", "chard:queues": "zset",
    ]
    /// Keys of a queue.
    private static let ofQueue = [
        "celery": "list", "celery\u{06}\u{16}6": "list", "chard:{celery}:due:0": "list",
        "chard:{celery}:delayed": "zset",
        "chard:{celery}:delayed-messages": "hash",
    ]

    @Test(
        "a key that holds something else keeps no worker from starting, nor from working, whenever it came",
        arguments: [
            (own.merging(["chard:seal": "string", "_kombu.binding.celery": "set"]) { $1 }, false), (ofQueue, false),
            (own, true), (ofQueue, true),
        ])
    func keys(_ keys: [String: String], isLate: Bool) async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker()
            let app = try bench.app()
            let echo = app.task("echo") { (number: Int) in number }
            @Sendable func spoil() async throws {
                for (key, type) in keys {
                    _ = try await bench.server.cli("DEL", key)
                    _ =
                        type == "string"
                        ? try await bench.server.cli("RPUSH", key, "1", "2")
                        : try await bench.server.cli("SET", key, "a text")
                }
            }
            if !isLate { try await spoil() }
            try await bench.working(app) { _ in
                if isLate { try await spoil() }
                try await eventually("they are put aside", within: .seconds(100)) {
                    // What needs the keys is done until somebody notices: sent, delayed, revoked, paused.
                    _ = try? await echo.enqueue(1)
                    _ = try? await echo.enqueue(2, in: .milliseconds(50))
                    _ = try? await broker.revoke(["x"], terminating: false, timeToLive: .seconds(60))
                    _ = try? await broker.resume("none")
                    return try await Set(broker.asideItems().map(\.place)) == Set(keys.keys)
                }
                let now = try await echo.enqueue(3)
                #expect(try await now.value(timeout: .seconds(10)) == 3)
                let later = try await echo.enqueue(4, in: .milliseconds(300))
                #expect(try await later.value(timeout: .seconds(10)) == 4)
                try await eventually("the worker is known", within: .seconds(40)) {
                    try await !broker.workers().isEmpty
                }
            }
            let items = try await broker.asideItems()
            #expect(items.allSatisfy { $0.size ?? 0 > 0 && !$0.worker.isEmpty && $0.expected == keys[$0.place] })
            let found = try await app.operator.diagnose().filter { $0.subject == "put aside" }
            let name = try #require(items.first?.name)
            #expect(found.map(\.severity) == [.warning] && found[0].advice.contains("aside drop \(name)"), "\(found)")
        }
    }

    @Test("what was put aside is restored unless something took its place, or dropped")
    func changes() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let aside = app.operator.aside
            #expect(try await aside.list().isEmpty)
            _ = try await bench.server.cli("SET", "celery", "somebody's text")
            let consumer = try await bench.consumer()
            async let claimed = consumer.claim(upTo: 1)
            try await eventually("it is put aside") { try await aside.list().count == 1 }
            let item = try #require(try await aside.list().first)
            #expect(item.place == "celery" && item.kind == "string" && item.expected == "list" && item.size == 15)
            #expect(
                item.worker == "test" && item.reason.contains("WRONGTYPE") && abs(item.at.timeIntervalSinceNow) < 60)
            #expect(try await bench.server.cli("GET", item.key) == "somebody's text")
            try await app.broker.send([bench.message("t")])
            #expect(try await claimed.count == 1)
            await consumer.close()
            #expect(try await bench.server.cli("LLEN", "celery") == "1")
            let error = await #expect(throws: BrokerError.self) { try await aside.restore(item.name) }
            #expect(error?.message.contains("celery") == true)
            #expect(try await aside.list().count == 1)
            _ = try await bench.server.cli("DEL", "celery")
            #expect(try await aside.restore(item.name))
            #expect(try await bench.server.cli("GET", "celery") == "somebody's text")
            #expect(try await aside.list().isEmpty)
            #expect(try await !aside.restore(item.name))
            #expect(try await !aside.drop("none"))
            let again = try await bench.consumer()
            async let waiting = again.claim(upTo: 1)
            try await eventually("it is put aside again") { try await aside.list().count == 1 }
            let second = try #require(try await aside.list().first)
            #expect(try await aside.drop(second.name))
            #expect(try await aside.list().isEmpty)
            #expect(try await bench.server.cli("EXISTS", second.key) == "0")
            again.wake()
            #expect(try await waiting.isEmpty)
            await again.close()
        }
    }
}
