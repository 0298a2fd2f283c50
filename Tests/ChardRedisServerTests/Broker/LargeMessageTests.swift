// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Synchronization
import TestServers
import Testing

@testable import ChardRedis

@Suite("Large messages on a Redis server", .timeLimit(.minutes(2)))
struct LargeMessageTests {
    /// Messages of 50,000 bytes and more, numbered by their size.
    private func messages(_ numbers: Range<Int>, _ bench: BrokerBench, priority: Int = 0) -> [OutgoingMessage] {
        numbers.map { bench.message("t", .string(String(repeating: "x", count: 50_000 + $0)), priority: priority) }
    }

    /// Claims four at a time until large messages come without a script.
    private func claimUntilTaken(_ consumer: RedisConsumer) async throws -> [Delivery] {
        var claimed: [Delivery] = []
        try await eventually("large messages are taken without a script") {
            claimed += try await consumer.claim(upTo: 4)
            return await isReady(consumer)
        }
        return claimed
    }

    /// Whether the next claim needs no script: its source is known, and the connection stands.
    private func isReady(_ consumer: RedisConsumer) async -> Bool {
        await consumer.core.run { core in
            core.machine.pops.contains {
                $0.isConnected && $0.phase == .idle && $0.list.key == core.machine.large?.list
            }
        }
    }

    @Test("they come in their order, without a script, and are dropped by count")
    func order() async throws {
        try await BrokerBench.with { bench in
            let consumer = try await bench.consumer()
            let sent = messages(0..<60, bench)
            try await bench.broker().send(sent)
            var claimed = try await claimUntilTaken(consumer)
            for (index, delivery) in claimed.enumerated() {
                _ = try await consumer.settle([bench.success(delivery, "a\(index)")])
            }
            _ = try await bench.server.cli("CONFIG", "RESETSTAT")
            while claimed.count < 60 {
                let next = try await consumer.claim(upTo: 7)
                let receipts = try await consumer.settle(
                    next.enumerated().map { bench.success($0.element, "b\($0.offset)") })
                #expect(receipts.allSatisfy { $0 == .settled })
                claimed += next
            }
            #expect(claimed.map(\.payload) == sent.map(\.payload))
            let calls = try await bench.server.cli("INFO", "commandstats")
            #expect(!calls.contains("cmdstat_lrem") && calls.contains("cmdstat_ltrim"))
            #expect(try await bench.server.cli("EXISTS", "chard:{celery}:leased:0:\(consumer.identity)") == "0")
            await consumer.close()
        }
    }

    @Test("what has a higher priority comes before the rest of them")
    func priority() async throws {
        try await BrokerBench.with { bench in
            let consumer = try await bench.consumer()
            try await bench.broker().send(messages(0..<40, bench, priority: 6))
            _ = try await claimUntilTaken(consumer)
            let urgent = bench.message("urgent", priority: 0)
            try await bench.broker().send([urgent])
            // Those that were asked for already, and then this one, by a script.
            let next = try await consumer.claim(upTo: 4) + consumer.claim(upTo: 4)
            #expect(next.prefix(5).map(\.payload).contains(urgent.payload))
            await consumer.close()
        }
    }

    @Test("queues of one step are served in turn, where there is room for one at a time, too")
    func turns() async throws {
        try await BrokerBench.with { bench in
            let consumer = try await bench.consumer(["a", "b"])
            let text = JSON.string(String(repeating: "x", count: 50_000))
            try await bench.broker().send((0..<60).map { bench.message("t", text, queue: $0 % 2 == 0 ? "a" : "b") })
            var served: [String] = []
            for _ in 0..<20 {
                let claimed = try await consumer.claim(upTo: 1)
                served += claimed.map(\.queue)
                _ = try await consumer.settle(claimed.map { bench.success($0, "x") })
            }
            #expect(served.count { $0 == "a" } == 10 && served.count { $0 == "b" } == 10)
            await consumer.close()
        }
    }

    @Test("after one alone, the next is waited for by a pop, although the first of its connections was for taking")
    func alone() async throws {
        try await BrokerBench.with { bench in
            for _ in 0..<10 {
                let consumer = try await bench.consumer()
                try await bench.broker().send(messages(0..<1, bench))
                var claimed: [Delivery] = []
                while claimed.isEmpty { claimed = try await consumer.claim(upTo: 4) }
                _ = try await consumer.settle([bench.success(claimed[0], "x")])
                async let next = consumer.claim(upTo: 4)
                try await eventually("all four lists are waited on", within: .seconds(5)) {
                    try await bench.blockingPops() == 1
                }
                consumer.wake()
                _ = try await next
                await consumer.close()
            }
        }
    }

    @Test("what was taken from a queue that had been paused goes back to it, in order")
    func paused() async throws {
        try await BrokerBench.with { bench in
            let consumer = try await bench.consumer()
            let broker = try bench.broker()
            let sent = messages(0..<40, bench)
            try await broker.send(sent)
            let claimed = try await claimUntilTaken(consumer)
            // As if the news of it had been lost.
            _ = try await bench.server.cli("SADD", broker.keys.paused, "celery")
            _ = try await bench.server.cli("INCR", broker.keys.orders)
            async let next = consumer.claim(upTo: 4)
            try await eventually("they are back") {
                let isKnown = await consumer.core.run { $0.machine.orders.paused.contains("celery") }
                let waiting = try await bench.server.cli("LLEN", "celery")
                return isKnown && waiting == "\(sent.count - claimed.count)"
            }
            let waiting = try await broker.client.send(RedisCommand("LRANGE", "celery", 0, -1)).array ?? []
            #expect(waiting.reversed().compactMap(\.bytes) == sent.dropFirst(claimed.count).map(\.payload))
            try await broker.resume("celery")
            consumer.wake()
            // The claim under way ends with nothing, unless it looks once more when it has learnt of the change.
            var rest = try await next
            while rest.isEmpty { rest = try await consumer.claim(upTo: 1) }
            #expect(rest[0].payload == sent[claimed.count].payload)
            await consumer.close()
        }
    }

    @Test("a queue is not drained while what has left it is still on its way to the process")
    func drained() async throws {
        try await BrokerBench.with { bench in
            let consumer = try await bench.consumer()
            #expect(try await consumer.isDrained())
            let leased = "chard:{celery}:leased:0:\(consumer.identity)"
            _ = try await bench.broker().client.send(RedisCommand("LPUSH", leased, bench.message("t").payload))
            #expect(try await !consumer.isDrained())
            _ = try await bench.server.cli("DEL", leased)
            #expect(try await consumer.isDrained())
            await consumer.close()
        }
    }

    @Test("a process whose heartbeat is gone gets none of them, and hands them back")
    func lapse() async throws {
        try await BrokerBench.with { bench in
            let consumer = try await bench.consumer()
            let sent = messages(0..<40, bench)
            try await bench.broker().send(sent)
            _ = try await claimUntilTaken(consumer)
            _ = try await bench.server.cli("DEL", "chard:heartbeat:\(consumer.identity)")
            await #expect(throws: BrokerError.self) { _ = try await consumer.claim(upTo: 4) }
            await consumer.leaseLost()
            // Until then its holder has time to end what runs.
            #expect(try await bench.server.cli("LLEN", "celery") != "40")
            await consumer.close()
            try await eventually("all are on the queue") { try await bench.server.cli("LLEN", "celery") == "40" }
            let waiting = try await bench.broker().client.send(RedisCommand("LRANGE", "celery", 0, -1)).array ?? []
            #expect(waiting.reversed().compactMap(\.bytes) == sent.map(\.payload))
        }
    }

    @Test("one among them that is larger than anybody takes comes as an excerpt, and nothing comes twice")
    func oversize() async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker()
            let consumer = try await broker.consumer(
                for: Subscription(
                    queues: ["celery"], node: "test", concurrency: 4, startedAt: .now, messageLimit: 100_000))
            guard let consumer = consumer as? RedisConsumer else { throw TestServerError("no Redis consumer") }
            let huge = bench.message("t", .string(String(repeating: "x", count: 900_000)))
            let before = messages(0..<40, bench)
            let after = messages(40..<80, bench)
            try await broker.send(before)
            var claimed = try await claimUntilTaken(consumer)
            try await broker.send([huge] + after)
            while claimed.count < 81 { claimed += try await consumer.claim(upTo: 8) }
            #expect(claimed.count { $0.excerptOf == huge.payload.count } == 1)
            let whole = Set(claimed.filter { $0.excerptOf == nil }.map(\.payload))
            #expect(whole == Set((before + after).map(\.payload)) && claimed.count == 81)
            await consumer.close()
        }
    }

    @Test("with connections that end again and again, each runs once")
    func lostReplies() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let runs = Mutex<[Int: Int]>([:])
            let note = app.task("note") { (text: String) in runs.withLock { $0[text.utf8.count, default: 0] += 1 } }
            let client = try bench.app()
            try await client.enqueue((0..<400).map { try note.signature(String(repeating: "x", count: 50_000 + $0)) })
            try await bench.working(app) { _ async throws in
                let killing = Task {
                    while !Task.isCancelled {
                        _ = try await bench.server.cli("CLIENT", "KILL", "TYPE", "normal")
                        try await Task.sleep(for: .milliseconds(20))
                    }
                }
                try await Task.sleep(for: .seconds(2))
                killing.cancel()
                try await eventually("all have run", within: .seconds(30)) { runs.withLock { $0.count } == 400 }
                try await eventually("nothing is left", within: .seconds(20)) {
                    let report = try await bench.broker().queues().first { $0.queue == "celery" }
                    return report?.waiting == 0 && report?.leased == 0
                }
            }
            #expect(runs.withLock { $0.values.allSatisfy { $0 == 1 } })
        }
    }
}
