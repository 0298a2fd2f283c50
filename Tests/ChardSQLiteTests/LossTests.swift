// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Foundation
import GRDB
import Testing

@testable import ChardSQLite

@Suite("Lost processes", .fewAtATime, .timeLimit(.minutes(3)))
struct LossTests {
    @Test("what a process held that has ended is given back at once, without waiting for its lease")
    func ended() async throws {
        try await Bench.with { bench in
            let settings = { (settings: inout SQLiteSettings) in settings.lease = .seconds(60) }
            let lost = try #require(try await bench.consumer(of: bench.broker(settings)) as? SQLiteConsumer)
            let broker = bench.broker(settings)
            try await broker.send(["a", "b", "c"].map { Bench.message($0) })
            #expect(try await lost.claim(upTo: 2).count == 2)
            #expect(try await broker.workers().map(\.identity) == [lost.identity])
            await lost.fallSilent(ended: true)
            #expect(try await broker.workers().isEmpty)
            let start = ContinuousClock.now
            let heir = try await bench.consumer(["elsewhere"], of: broker)
            try await eventually("it is back", within: .seconds(5)) {
                try await broker.queues().map(\.leased).max() == 0
            }
            #expect(ContinuousClock.now - start < .seconds(5))
            await heir.close()
            let next = try await bench.consumer(of: broker)
            let deliveries = try await next.claim(upTo: 5)
            #expect(deliveries.map(\.id) == ["a", "b", "c"])
            #expect(deliveries.map { try? TaskMessage(decoding: $0.payload).losses } == [1, 1, 0])
            await next.close()
        }
    }

    @Test("a process that only hangs keeps what it holds until its lease is over, and is fenced from then on")
    func hanging() async throws {
        try await Bench.with { bench in
            let lost = try #require(try await bench.consumer() as? SQLiteConsumer)
            let broker = bench.broker()
            try await broker.send([Bench.message("a")])
            let held = try #require(try await lost.claim(upTo: 1).first)
            await lost.fallSilent(ended: false)
            let start = ContinuousClock.now
            let heir = try await bench.consumer(of: broker)
            let deliveries = try await heir.claim(upTo: 1)
            #expect(deliveries.map(\.id) == ["a"])
            #expect(ContinuousClock.now - start > Bench.quick.lease - Bench.quick.heartbeat)
            // As it would if it woke up now, and did not look at its clock.
            let receipt = try await broker.engine.write(durably: false) { transaction in
                try transaction.settle(
                    Settlement(held, [.store(StatusRecord(TaskStatus(id: "a", state: .success), timeToLive: nil))]),
                    by: lost.hold.number)
            }
            #expect(receipt == .fenced)
            #expect(try await broker.status(of: "a") == nil)
            await heir.close()
        }
    }

    @Test("a consumer whose heartbeats cannot be written gives up before others may take what it holds")
    func locked() async throws {
        try await Bench.with { bench in
            let broker = bench.broker { $0.busyTimeout = .milliseconds(100) }
            let consumer = try await bench.consumer(of: broker)
            let stranger = try bench.stranger()
            let start = ContinuousClock.now
            try await stranger.writeWithoutTransaction { db in try db.execute(sql: "BEGIN IMMEDIATE") }
            await consumer.leaseLost()
            #expect(ContinuousClock.now - start < Bench.quick.lease + .milliseconds(300))
            try await stranger.writeWithoutTransaction { db in try db.execute(sql: "ROLLBACK") }
        }
    }

    @Test(
        "a process that was killed in the middle of a task: the task runs again, and no result of the first run is there"
    )
    func killed() async throws {
        try await Bench.with { bench in
            let path = bench.path
            let broker = bench.broker()
            try await broker.send((0..<10).map { Bench.message("\($0)") })
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
                let broker = SQLiteBroker(SQLiteLocation(path: path), settings: SQLiteSettings())
                let consumer = try await broker.consumer(for: Bench.subscription())
                let deliveries = try await consumer.claim(upTo: 5)
                _ = try await consumer.settle(
                    [
                        Settlement(
                            deliveries[0],
                            [.store(StatusRecord(TaskStatus(id: "0", state: .success), timeToLive: nil))])
                    ])
                kill(getpid(), SIGKILL)
            }
            #expect(try await broker.status(of: "0")?.state == .success)
            let consumer = try await bench.consumer(of: broker)
            var ids: [String] = []
            while ids.count < 9 {
                let deliveries = try await consumer.claim(upTo: 100)
                ids += deliveries.compactMap(\.id)
                _ = try await consumer.settle(deliveries.map { Settlement($0) })
            }
            #expect(Set(ids) == Set((1..<10).map { "\($0)" }))
            #expect(ids.count == 9)
            await consumer.close()
        }
    }

    @Test("a producer that was killed while it sent: what it was told is there, is there")
    func killedProducer() async throws {
        try await Bench.with { bench in
            let path = bench.path
            for round in 0..<3 {
                await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, round = round as Int] in
                    let broker = SQLiteBroker(SQLiteLocation(path: path), settings: SQLiteSettings())
                    for number in 0..<40 {
                        try await broker.send([Bench.message("\(round)-\(number)")])
                        if number == 20 + round { kill(getpid(), SIGKILL) }
                    }
                }
            }
            let broker = bench.broker()
            #expect(try await broker.queues().map(\.waiting) == [21 + 22 + 23])
            let check = try bench.stranger()
            let verdict = try await check.read { db in try String.fetchAll(db, sql: "PRAGMA integrity_check") }
            #expect(verdict == ["ok"])
        }
    }
}
