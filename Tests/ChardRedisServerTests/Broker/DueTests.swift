// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import TestServers
import Testing

@testable import ChardRedis

@Suite("What is due, on a Redis server", .timeLimit(.minutes(2)))
struct DueTests {
    @Test("an entry that is no message is put aside with its reason, and holds up nothing")
    func badEntries() async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker()
            _ = try await bench.server.cli("ZADD", "chard:{celery}:delayed", "1", "junk", "2", "empty", "3", "seven")
            _ = try await bench.server.cli(
                "HSET", "chard:{celery}:delayed-messages", "junk", "no message", "seven", "\u{663} is no digit")
            var message = bench.message("t")
            message.dueAt = Date() + 0.3
            try await broker.send([message])
            let consumer = try await bench.consumer()
            #expect(try await consumer.claim(upTo: 5).map(\.payload) == [message.payload])
            try await eventually("they are dead letters") {
                try await broker.deadLetters(in: "celery", limit: 10).count == 3
            }
            let letters = try await broker.deadLetters(in: "celery", limit: 10)
            #expect(Set(letters.map(\.id)) == ["junk", "empty", "seven"])
            #expect(letters.allSatisfy { $0.reason == .malformed })
            #expect(letters.first { $0.id == "junk" }?.payload == Array("no message".utf8))
            #expect(try await bench.server.cli("ZCARD", "chard:{celery}:delayed") == "0")
            #expect(try await broker.dropDeadLetter("junk"))
            await consumer.close()
        }
    }

    @Test("a list that holds something else is put aside, keeps nothing waiting, and no message is lost")
    func wrongTypes() async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker()
            _ = try await bench.server.cli("SET", "chard:{celery}:due:0", "a string")
            _ = try await bench.server.cli("SET", "celery\u{06}\u{16}3", "a string")
            var messages = [bench.message("t"), bench.message("t", priority: 3), bench.message("t", priority: 9)]
            for index in messages.indices { messages[index].dueAt = Date() + 0.2 }
            try await broker.send(messages)
            let consumer = try await bench.consumer()
            var claimed: [[UInt8]] = []
            while claimed.count < 3 { claimed += try await consumer.claim(upTo: 5).map(\.payload) }
            #expect(Set(claimed) == Set(messages.map(\.payload)))
            #expect(try await bench.server.cli("EXISTS", "chard:{celery}:delayed") == "0")
            try await eventually("both are aside") { try await broker.asideItems().count == 2 }
            #expect(
                try await Set(broker.asideItems().map(\.place)) == ["chard:{celery}:due:0", "celery\u{06}\u{16}3"])
            await consumer.close()
        }
    }

    @Test(
        "what nobody used so far, a delayed message of another priority or an urgent one, starts within a second or so")
    func firstUrgent() async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker()
            let consumer = try await bench.consumer()
            async let first = consumer.claim(upTo: 1)
            try await eventually("it waits") { try await bench.blockingPops() == 1 }
            var message = bench.message("t", priority: 9)
            message.dueAt = Date() + 0.1
            try await broker.send([message])
            #expect(try await first.map(\.payload) == [message.payload])
            // It is waited for from now on, another one is not.
            async let second = consumer.claim(upTo: 1)
            try await eventually("it waits for both") { try await bench.blockingPops() == 2 }
            let urgent = bench.message("t", priority: 6)
            try await broker.send([urgent])
            #expect(try await second.map(\.payload) == [urgent.payload])
            await consumer.close()
        }
    }

    @Test("a promotion is bounded in bytes: large messages do not keep the server from all others")
    func bytes() async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker()
            let text = JSON.string(String(repeating: "x", count: 300_000))
            var messages = (0..<20).map { _ in bench.message("t", text) }
            // From when all of them are made, which may take its time.
            let dueAt = Date() + 2
            for index in messages.indices { messages[index].dueAt = dueAt }
            try await broker.send(messages)
            // While nobody serves the queue, it is asked for once.
            var moved: Int?
            try await eventually("they are due") {
                let due = try await bench.server.cli(
                    "ZCOUNT", "chard:{celery}:delayed", "0", "\(Date().timeIntervalSince1970)")
                return due == "20"
            }
            let keys = broker.keys
            moved = try await broker.client.run(
                RedisScript.promote,
                keys: [keys.delayed("celery"), keys.delayedMessages("celery"), keys.ripe("celery", step: 0), "celery"],
                200,
                1 << 20, -1, keys.priorities.digits
            ).array?.first?.integer
            #expect(moved == 4)
            let worker = try await bench.consumer()
            var left = Set(messages.map(\.payload))
            while !left.isEmpty {
                let claimed = try await worker.claim(upTo: 100)
                left.subtract(claimed.map(\.payload))
                _ = try await worker.settle(claimed.map { Settlement($0) })
            }
            await worker.close()
        }
    }
}
