// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import TestServers
import Testing

@testable import ChardRedis

/// Ten steps and a colon, as Celery's documentation proposes them for Redis.
@Suite("Other steps of priority on a Redis server", .atOnce(4), .timeLimit(.minutes(2)))
struct PriorityStepsTests {
    private static func settings(_ base: RedisSettings = RedisSettings()) throws -> RedisSettings {
        var settings = base
        settings.priorities = try PrioritySteps(Array(0...9), separator: ":")
        return settings
    }

    /// Messages of all ten priorities, in no order, by whose text one sees what they were sent with.
    private func messages(dueAt: Date? = nil) -> [OutgoingMessage] {
        [7, 2, 9, 0, 5, 1, 8, 3, 6, 4].map { priority in
            OutgoingMessage(
                id: "\(priority)", queue: "celery", priority: priority, dueAt: dueAt, payload: Array("\(priority)".utf8)
            )
        }
    }

    private func claimAll(_ consumer: RedisConsumer, _ count: Int = 10) async throws -> [String] {
        var texts: [String] = []
        while texts.count < count {
            let claimed = try await consumer.claim(upTo: 1)
            texts += claimed.map { String(decoding: $0.payload, as: UTF8.self) }
            _ = try await consumer.settle(claimed.map { Settlement($0) })
        }
        return texts
    }

    private let inOrder = (0...9).map(String.init)

    @Test("what waits is claimed in the order of all ten, shown, paused and purged")
    func waiting() async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker(try Self.settings())
            try await broker.send(messages())
            #expect(try await bench.server.cli("LLEN", "celery:7") == "1")
            #expect(try await broker.queues().map(\.waiting) == [10])
            let shown = try await broker.waitingMessages(in: "celery", from: 0, limit: 20, messageLimit: 1_000)
            #expect(shown.map(\.priority) == Array(0...9))
            let rest = try await broker.waitingMessages(in: "celery", from: 7, limit: 20, messageLimit: 1_000)
            #expect(rest.map(\.priority) == [7, 8, 9])
            let consumer = try await bench.consumer(settings: try Self.settings())
            #expect(try await claimAll(consumer) == inOrder)
            #expect(try await consumer.isDrained())
            try await broker.send(messages())
            try await broker.pause("celery")
            let held = Task { try await consumer.claim(upTo: 1) }
            try await Task.sleep(for: .milliseconds(300))
            #expect(try await broker.purge("celery", delayed: false) == 10)
            try await broker.resume("celery")
            consumer.wake()
            #expect(try await held.value.isEmpty)
            #expect(try await bench.server.cli("KEYS", "celery*") == "")
            await consumer.close()
        }
    }

    @Test("what is delayed comes by its priority, shows it, and goes to where it belongs when it is changed")
    func delayed() async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker(try Self.settings())
            try await broker.send(messages(dueAt: Date() + 2))
            let shown = try await broker.delayedTasks(in: "celery", limit: 20)
            #expect(Set(shown.map(\.priority)) == Set(0...9))
            let urgent = try #require(shown.first { $0.priority == 8 })
            #expect(try await broker.change(urgent, [.putBack(as: nil)]))
            #expect(try await bench.server.cli("LRANGE", "celery:8", "0", "-1") == "8")
            try await eventually("all are due") {
                try await bench.server.cli("ZCOUNT", "chard:{celery}:delayed", "0", "\(Date().timeIntervalSince1970)")
                    == "9"
            }
            let consumer = try await bench.consumer(settings: try Self.settings())
            try await eventually("all are there to be claimed") {
                try await bench.server.cli("ZCARD", "chard:{celery}:delayed") == "0"
            }
            #expect(try await claimAll(consumer) == inOrder)
            await consumer.close()
        }
    }

    @Test("what was delayed under other steps comes by its priority, and none of it is lost")
    func changed() async throws {
        try await BrokerBench.with { bench in
            try await bench.broker(try Self.settings()).send(messages(dueAt: Date() + 0.5))
            let consumer = try await bench.consumer()
            var texts: Set<String> = []
            while texts.count < 10 {
                let claimed = try await consumer.claim(upTo: 10)
                texts.formUnion(claimed.map { String(decoding: $0.payload, as: UTF8.self) })
                _ = try await consumer.settle(claimed.map { Settlement($0) })
            }
            #expect(try await bench.server.cli("EXISTS", "chard:{celery}:dead") == "0")
            await consumer.close()
        }
    }

    @Test("who goes by the usual steps gives a lost process's messages back to where they came from")
    func recovery() async throws {
        try await BrokerBench.with { bench in
            let settings = try Self.settings(BrokerBench.quick)
            let broker = try bench.broker(settings)
            try await broker.send([bench.message("t", priority: 4), bench.message("t", priority: 7)])
            let lost = try await bench.consumer(settings: settings)
            var held = 0
            while held < 2 { held += try await lost.claim(upTo: 2).count }
            #expect(
                try await broker.leasedMessages(in: "celery", limit: 9, messageLimit: 99).map(\.priority) == [4, 7])
            let other = try bench.broker(BrokerBench.quick)
            #expect(try await other.leasedMessages(in: "celery", limit: 9, messageLimit: 99).map(\.priority) == [4, 7])
            #expect(try await other.queues().first?.leased == 2)
            await lost.fallSilent()
            let witness = try await bench.consumer(["elsewhere"], settings: BrokerBench.quick)
            try await eventually("both are back", within: .seconds(15)) {
                let four = try await bench.server.cli("LLEN", "celery:4")
                let seven = try await bench.server.cli("LLEN", "celery:7")
                return four == "1" && seven == "1"
            }
            await witness.close()
        }
    }

    @Test("lists that nobody reads are told with the queue, and are none while a worker of these steps is up")
    func unread() async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker()
            try await broker.send([bench.message("t")])
            #expect(try await broker.queues().first?.unread == [])
            _ = try await bench.server.cli("LPUSH", "celery:4", "{}", "{}")
            _ = try await bench.server.cli("LPUSH", "chard:{celery}:due:4", "{}")
            #expect(
                try await broker.queues().first?.unread == [
                    UnreadMessages(list: "celery:4", count: 2),
                    UnreadMessages(list: "celery, due, at priority 4", count: 1),
                ])
            try await broker.pause("celery")
            let consumer = try await bench.consumer(settings: try Self.settings())
            #expect(try await broker.queues().first?.unread == [])
            await consumer.close()
        }
    }

    @Test("a routing table with entries of another separator, on which kombu's clients fail, is told")
    func bindings() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            try await app.broker.send([bench.message("t")])
            func findings() async throws -> [Finding] {
                try await app.operator.diagnose().filter { $0.subject == "bindings" }
            }
            #expect(try await findings().isEmpty)
            try await bench.broker(try Self.settings()).send([bench.message("t")])
            let found = try await findings()
            #expect(found.map(\.severity) == [.danger] && found[0].text.contains("celery"), "\(found)")
        }
    }
}
