// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Foundation
import GRDB
import Synchronization
import Testing

@testable import ChardSQLite

@Suite("Many on one file", .fewAtATime, .timeLimit(.minutes(3)))
struct SharingTests {
    @Test("each message once, however many send and claim at the same time")
    func once() async throws {
        try await Bench.with { bench in
            let count = 1_500
            let tally = Tally()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for producer in 0..<3 {
                    let broker = bench.broker()
                    group.addTask {
                        for batch in 0..<(count / 3 / 10) {
                            try await broker.send((0..<10).map { Bench.message("\(producer)-\(batch)-\($0)") })
                        }
                    }
                }
                for _ in 0..<3 {
                    let consumer = try await bench.consumer()
                    group.addTask {
                        while tally.count < count {
                            let waker = Task {
                                try await Task.sleep(for: .milliseconds(200))
                                consumer.wake()
                            }
                            let deliveries = try await consumer.claim(upTo: Int.random(in: 1...50))
                            waker.cancel()
                            tally.add(deliveries)
                            let receipts = try await consumer.settle(deliveries.map { Settlement($0) })
                            #expect(receipts.allSatisfy { $0 == .settled })
                        }
                        await consumer.close()
                    }
                }
                try await group.waitForAll()
            }
            #expect(tally.twice.isEmpty)
            #expect(try await bench.broker().queues().map(\.waiting) == [0])
        }
    }

    @Test("who waits learns of work from another process within 50 ms, many times in a row")
    func latency() async throws {
        try await Bench.with { bench in
            let consumer = try await bench.consumer()
            let broker = bench.broker()
            try await broker.connect()
            var delays: [Duration] = []
            for number in 0..<30 {
                let claim = Task { (try await consumer.claim(upTo: 1), ContinuousClock.now) }
                try await eventually("it waits") { (consumer as? SQLiteConsumer)?.hold.isIdle == true }
                try await Task.sleep(for: .milliseconds(number % 7))
                try await broker.send([Bench.message("\(number)")])
                let sentAt = ContinuousClock.now
                let (deliveries, at) = try await claim.value
                delays.append(at - sentAt)
                _ = try await consumer.settle(deliveries.map { Settlement($0) })
            }
            // The median: other tests use the same cores.
            #expect(delays.sorted()[delays.count / 2] < .milliseconds(50))
            await consumer.close()
        }
    }

    @Test("a scheduled message is there on time, and never early, also where another process has sent it")
    func punctual() async throws {
        try await Bench.with { bench in
            let consumer = try await bench.consumer()
            let broker = bench.broker()
            try await broker.connect()
            var delays: [Double] = []
            for number in 0..<10 {
                let due = Date(timeIntervalSinceNow: 0.1 + Double(number) / 100)
                try await broker.send([Bench.message("\(number)", dueAt: due)])
                let deliveries = try await consumer.claim(upTo: 1)
                delays.append(Date().timeIntervalSince(due))
                _ = try await consumer.settle(deliveries.map { Settlement($0) })
            }
            #expect(delays.allSatisfy { $0 >= 0 })
            #expect(delays.sorted()[delays.count / 2] < 0.05)
            await consumer.close()
        }
    }

    @Test("what became due stands in the order of its time, however many moved at once")
    func dueInOrder() async throws {
        try await Bench.with { bench in
            let broker = bench.broker()
            let due = Date(timeIntervalSinceNow: 0.3)
            // More than one batch, many at the same time.
            try await broker.send(
                (0..<2_500).map { Bench.message("\($0)", dueAt: due.addingTimeInterval(Double($0 / 100) / 1e4)) })
            let mover = try await bench.consumer(["elsewhere"], of: broker)
            try await eventually("all are due") {
                try await broker.queues().first { $0.queue == "q" }?.waiting == 2_500
            }
            await mover.close()
            let consumer = try await bench.consumer(of: broker)
            let deliveries = try await consumer.claim(upTo: 5_000)
            #expect(deliveries.compactMap(\.id) == (0..<2_500).map { "\($0)" })
            await consumer.close()
        }
    }

    @Test("a number is never given out again, also when the message that had it is gone")
    func numbers() async throws {
        try await Bench.with { bench in
            let broker = bench.broker()
            let consumer = try await bench.consumer(of: broker)
            var last: Int64 = 0
            for round in 0..<4 {
                try await broker.send([Bench.message("\(round)")])
                if round == 2 {
                    let taken = try await broker.engine.read { db in
                        try db.value(Int64.self, "SELECT max(number) FROM message") ?? 0
                    }
                    #expect(taken > last)
                    last = taken
                    #expect(try await broker.purge("q", delayed: true) == 1)
                    continue
                }
                let delivery = try #require(try await consumer.claim(upTo: 1).first)
                #expect(delivery.number > last)
                last = delivery.number
                // Nothing else is stored that would have a number.
                #expect(try await consumer.settle([Settlement(delivery)]) == [.settled])
            }
            await consumer.close()
        }
    }

    @Test(
        "a caller who is alone does its work itself, and leaves it to the engine's thread while another program is in the way"
    )
    func alone() async throws {
        try await Bench.with { bench in
            let broker = bench.broker()
            try await broker.connect()
            try await broker.send([Bench.message("0")])
            let before = broker.engine.doneAtOnce
            for number in 1...50 { try await broker.send([Bench.message("\(number)")]) }
            // Not all of them: the machine may be busy with something else.
            #expect(broker.engine.doneAtOnce > before)
            let stranger = try bench.stranger()
            try await stranger.writeWithoutTransaction { db in try db.execute(sql: "BEGIN IMMEDIATE") }
            let inTheWay = broker.engine.doneAtOnce
            async let waiting: [Placement] = broker.send([Bench.message("51")])
            try await Task.sleep(for: .milliseconds(100))
            try await stranger.writeWithoutTransaction { db in try db.execute(sql: "COMMIT") }
            _ = try await waiting
            #expect(broker.engine.doneAtOnce == inTheWay)
            #expect(try await broker.queues().map(\.waiting) == [52])
        }
    }

    @Test("callers of one process share transactions")
    func groups() async throws {
        try await Bench.with { bench in
            let broker = bench.broker { $0.synchronous = .full }
            try await broker.connect()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<500 { group.addTask { try await broker.send([Bench.message("\(number)")]) } }
                try await group.waitForAll()
            }
            let last = try await broker.engine.read { db in try db.value(Int.self, "SELECT max(number) FROM message") }
            #expect(last == 500)
            #expect(try await broker.queues().map(\.waiting) == [500])
        }
    }
}

/// How often each message came.
private final class Tally: Sendable {
    private let seen = Mutex<[String: Int]>([:])

    func add(_ deliveries: [Delivery]) {
        seen.withLock { seen in
            for delivery in deliveries { seen[delivery.id ?? "?", default: 0] += 1 }
        }
    }

    var count: Int { seen.withLock { $0.count } }
    var twice: [String] { seen.withLock { $0.filter { $0.value > 1 }.map(\.key) } }
}
