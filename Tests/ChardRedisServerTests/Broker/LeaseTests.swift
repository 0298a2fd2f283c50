// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Synchronization
import TestServers
import Testing

@testable import ChardRedis

@Suite("Leases on a Redis server", .timeLimit(.minutes(2)))
struct LeaseTests {
    @Test("a claimed message stays in the broker until it is settled")
    func inBrokerUntilSettled() async throws {
        try await BrokerBench.with { bench in
            let consumer = try await bench.consumer()
            try await bench.broker().send([bench.message("t")])
            let delivery = try #require(try await consumer.claim(upTo: 5).first)
            let leased = "chard:{celery}:leased:0:\(consumer.identity)"
            #expect(try await bench.server.cli("LLEN", leased) == "1")
            #expect(try await consumer.settle([Settlement(delivery)]) == [.settled])
            #expect(try await bench.server.cli("LLEN", leased) == "0")
            await consumer.close()
        }
    }

    @Test("the result, the follower and the end of the lease are one step; without the lease none is written")
    func fencing() async throws {
        try await BrokerBench.with { bench in
            let consumer = try await bench.consumer()
            let broker = try bench.broker()
            try await broker.send([bench.message("t")])
            let delivery = try #require(try await consumer.claim(upTo: 1).first)
            let status = StatusRecord(TaskStatus(id: "x", state: .success), timeToLive: .seconds(60))
            let settlement = Settlement(
                delivery, [.store(status), .push(bench.message("next", queue: "other"))])
            // Another process has taken the message away.
            _ = try await bench.server.cli("DEL", "chard:{celery}:leased:0:\(consumer.identity)")
            #expect(try await consumer.settle([settlement]) == [.fenced])
            #expect(try await broker.status(of: "x") == nil)
            #expect(try await bench.server.cli("LLEN", "other") == "0")
            await consumer.close()
        }
    }

    @Test("of a message that is too large an excerpt is handed out, and it goes back, aside or to a recoverer whole")
    func oversize() async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker(BrokerBench.quick)
            func consumer() async throws -> any Consumer {
                try await broker.consumer(
                    for: Subscription(
                        queues: ["celery"], node: "test", concurrency: 4, startedAt: .now, messageLimit: 10_000))
            }
            let text = JSON.string(String(repeating: "x", count: 200_000))
            let small = bench.message("t", 1)
            let large = bench.message("t", text)
            try await broker.send([small, large])

            let first = try await consumer()
            let claimed = try await first.claim(upTo: 5)
            #expect(claimed.map(\.excerptOf) == [nil, large.payload.count])
            #expect(claimed.last.map { $0.payload.count < 21_000 } == true)
            #expect(try await first.settle([.handingBack(claimed[1])]) == [.settled])
            await first.close()
            let list = try await broker.client.send(RedisCommand("LRANGE", "celery", 0, -1)).array?.compactMap(\.bytes)
            #expect(list == [large.payload, small.payload])

            // Caught by a blocking pop: seen a moment later, when the lists are looked through.
            _ = try await bench.server.cli("DEL", "celery")
            let second = try await consumer()
            async let caught = second.claim(upTo: 1)
            try await eventually("it waits") { try await bench.blockingPops() == 1 }
            try await broker.send([large])
            var held = try await caught
            while held.isEmpty { held = try await second.claim(upTo: 1) }
            #expect(held.map(\.excerptOf) == [large.payload.count])
            let letter = DeadLetter(
                id: large.id, taskID: large.id, task: "t", queue: "celery", reason: .tooLarge, error: "too large",
                attempts: 0, worker: "test",
                diedAt: .now, payload: held[0].payload)
            #expect(try await second.settle([Settlement(held[0], [.bury(letter)])]).map(\.end) == [.settled])
            #expect(try await second.settle([Settlement(held[0], [.bury(letter)])]) == [.fenced])
            #expect(try await broker.deadLetter(large.id)?.payload == large.payload)
            await second.close()
        }
    }

    @Test("what a lost process held of a message that is too large is put aside by its recoverer, whole")
    func oversizeRecovery() async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker()
            let large = bench.message("t", .string(String(repeating: "x", count: 200_000)))
            try await broker.send([large])
            let subscription = Subscription(
                queues: ["celery"], node: "test", concurrency: 4, startedAt: .now, messageLimit: 10_000)
            let lost = try await broker.consumer(for: subscription)
            #expect(try await lost.claim(upTo: 1).first?.excerptOf == large.payload.count)
            await (lost as? RedisConsumer)?.fallSilent()
            let witness = try await broker.consumer(
                for: Subscription(
                    queues: ["elsewhere"], node: "test", concurrency: 4, startedAt: .now, messageLimit: 10_000))
            try await eventually("it is put aside", within: .seconds(15)) {
                try await broker.deadLetters(in: "celery", limit: 1).first?.payload == large.payload
            }
            // Nobody who waits for it waits for ever.
            #expect(try await broker.status(of: large.id)?.state == .failure)
            await witness.close()
        }
    }

    @Test("a queue's key that holds something else loses no message of a lost process, nor keeps its other queues")
    func recoveryOntoNoList() async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker(BrokerBench.quick)
            let lost = try await bench.consumer(["bad", "good"], settings: BrokerBench.quick)
            try await broker.send([bench.message("t", queue: "bad"), bench.message("t", queue: "good")])
            try await eventually("both are claimed") {
                _ = try await lost.claim(upTo: 1)
                return await lost.core.run { $0.machine.stock.count } == 2
            }
            _ = try await bench.server.cli("SET", "bad", "a string")
            await lost.fallSilent()
            let witness = try await bench.consumer(["elsewhere"], settings: BrokerBench.quick)
            try await eventually("the other queue's message is back", within: .seconds(15)) {
                try await bench.server.cli("LLEN", "good") == "1"
            }
            let leased = "chard:{bad}:leased:0:\(lost.identity)"
            #expect(try await bench.server.cli("LLEN", leased) == "1")
            _ = try await bench.server.cli("DEL", "bad")
            try await eventually("it is back once that is mended", within: .seconds(25)) {
                try await bench.server.cli("LLEN", "bad") == "1"
            }
            await witness.close()
        }
    }

    @Test("a dead letter that cannot go to its queue stays one")
    func requeueOntoNoList() async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker()
            let consumer = try await bench.consumer()
            let message = bench.message("t")
            try await broker.send([message])
            let delivery = try #require(try await consumer.claim(upTo: 1).first)
            let letter = DeadLetter(
                id: message.id, taskID: message.id, task: "t", queue: "celery", reason: .rejected, error: "no",
                attempts: 1, worker: "test", diedAt: .now, payload: message.payload)
            #expect(try await consumer.settle([Settlement(delivery, [.bury(letter)])]).map(\.end) == [.settled])
            await consumer.close()
            _ = try await bench.server.cli("SET", "celery", "a string")
            await #expect(throws: BrokerError.self) { try await broker.requeueDeadLetter(message.id) }
            #expect(try await broker.deadLetter(message.id)?.payload == message.payload)
            _ = try await bench.server.cli("DEL", "celery")
            #expect(try await broker.requeueDeadLetter(message.id))
            #expect(try await bench.server.cli("LLEN", "celery") == "1")
            #expect(try await broker.deadLetter(message.id) == nil)
        }
    }

    @Test("a process whose heartbeat is gone claims nothing and says so")
    func lapse() async throws {
        try await BrokerBench.with { bench in
            let consumer = try await bench.consumer()
            _ = try await bench.server.cli("DEL", "chard:heartbeat:\(consumer.identity)")
            try await bench.broker().send([bench.message("t")])
            await #expect(throws: BrokerError.self) {
                while true { _ = try await consumer.claim(upTo: 1) }
            }
            await consumer.leaseLost()
            await consumer.close()
            try await eventually("the message is on the queue") { try await bench.server.cli("LLEN", "celery") == "1" }
        }
    }

    @Test("where all heartbeats are gone at once, as after a step of the server's clock, nobody takes from another")
    func step() async throws {
        try await BrokerBench.with { bench in
            let settings = BrokerBench.quick
            let consumers = [
                try await bench.consumer(settings: settings), try await bench.consumer(settings: settings),
            ]
            try await bench.broker().send([bench.message("t")])
            let held = try await consumers[0].claim(upTo: 1)
            // Until each would have the right to declare the other one lost.
            try await Task.sleep(for: settings.lease + .seconds(2))
            var gone = RedisCommand("DEL", "chard:heartbeat:\(consumers[0].identity)")
            gone.append("chard:heartbeat:\(consumers[1].identity)")
            _ = try await bench.broker().client.send(gone)
            for consumer in consumers { await consumer.leaseLost() }
            #expect(try await bench.server.cli("LLEN", "celery") == "0")
            for consumer in consumers { await consumer.close() }
            let list = try await bench.broker().client.send(RedisCommand("LRANGE", "celery", 0, -1)).array
            #expect(list?.compactMap(\.bytes) == held.map(\.payload))
        }
    }

    @Test("messages whose claim's reply was lost with its connection are found again, without a loss counted")
    func lostReplies() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let runs = Mutex<[Int: Int]>([:])
            let note = app.task("note") { (number: Int) in runs.withLock { $0[number, default: 0] += 1 } }
            try await bench.working(app) { _ async throws in
                let client = try bench.app()
                let killing = Task {
                    while !Task.isCancelled {
                        _ = try await bench.server.cli("CLIENT", "KILL", "TYPE", "normal")
                        try await Task.sleep(for: .milliseconds(150))
                    }
                }
                for number in 0..<300 {
                    // An enqueue that was cut off may have arrived: only what was acknowledged counts.
                    while true {
                        do {
                            try await client.enqueue(try note.signature(number))
                            break
                        } catch is BrokerError {
                            runs.withLock { $0[number, default: 0] -= 1 }
                        }
                    }
                }
                killing.cancel()
                try await eventually("all have run", within: .seconds(30)) { runs.withLock { $0.count } == 300 }
                try await eventually("nothing is left", within: .seconds(20)) {
                    let report = try await bench.broker().queues().first { $0.queue == "celery" }
                    return report?.waiting == 0 && report?.leased == 0
                }
            }
            #expect(runs.withLock { $0.values.allSatisfy { $0 <= 1 } })
        }
    }
}
