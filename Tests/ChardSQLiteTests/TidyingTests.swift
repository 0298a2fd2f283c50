// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Foundation
import GRDB
import Testing

@testable import ChardSQLite

@Suite("Nothing grows without end", .fewAtATime, .timeLimit(.minutes(3)))
struct TidyingTests {
    private func pages(_ broker: SQLiteBroker) async throws -> Int {
        try await broker.engine.read { db in try db.value(Int.self, "PRAGMA page_count") ?? 0 }
    }

    private func rows(_ broker: SQLiteBroker, _ table: String) async throws -> Int {
        try await broker.engine.read { db in try db.value(Int.self, "SELECT count(*) FROM \(table)") ?? 0 }
    }

    @Test("statuses, letters and revocations go when their time is over, and their pages are given back")
    func expiry() async throws {
        try await Bench.with { bench in
            let broker = bench.broker {
                $0.tidying = .milliseconds(50)
                $0.deadLetterTimeToLive = .milliseconds(300)
            }
            let text = JSON.string(String(repeating: "x", count: 2_000)).encoded()
            try await broker.store(
                (0..<3_000).map { number in
                    StatusRecord(
                        TaskStatus(id: "\(number)", state: .success, result: text), timeToLive: .seconds(98))
                })
            try await broker.store([StatusRecord(TaskStatus(id: "kept", state: .success), timeToLive: .seconds(99))])
            try await broker.revoke(["r"], terminating: false, timeToLive: .milliseconds(300))
            let full = try await pages(broker)
            #expect(full > 1_500)
            // Not before they were counted, however long storing them took.
            _ = try await broker.engine.write(durably: false) { transaction in
                try transaction.db.run("UPDATE status SET expires = ? WHERE id != 'kept'", transaction.time)
            }
            let consumer = try await bench.consumer(of: broker)
            try await broker.send([Bench.message("a")])
            let delivery = try #require(try await consumer.claim(upTo: 1).first)
            let letter = DeadLetter(
                id: "a", taskID: "a", task: "t", queue: "q", reason: .rejected, error: "no", attempts: 1, worker: "w",
                diedAt: Date(), payload: delivery.payload)
            _ = try await consumer.settle([Settlement(delivery, [.bury(letter)])])
            for table in ["dead", "revoked"] {
                try await eventually("\(table) is empty") { try await rows(broker, table) == 0 }
            }
            try await eventually("only one status is left") { try await rows(broker, "status") == 1 }
            try await eventually("the pages are given back") { try await pages(broker) < full / 2 }
            #expect(try await broker.status(of: "kept")?.state == .success)
            await consumer.close()
        }
    }

    @Test("a queue that nobody has used for a month is forgotten, unless it is paused or holds something")
    func queues() async throws {
        try await Bench.with { bench in
            let broker = bench.broker { $0.tidying = .milliseconds(50) }
            try await broker.send(["used", "paused", "old", "full"].map { Bench.message("\($0)-1", queue: $0) })
            for queue in ["used", "paused", "old"] { _ = try await broker.purge(queue, delayed: false) }
            try await broker.pause("paused")
            let stranger = try bench.stranger()
            try await stranger.write { db in
                try db.execute(sql: "UPDATE queue SET used = used - 31 * 86400 WHERE name != 'used'")
            }
            let consumer = try await bench.consumer(["elsewhere"], of: broker)
            try await eventually("two are forgotten") {
                try await broker.engine.read { db in
                    try db.values(String.self, "SELECT name FROM queue WHERE name != 'elsewhere' ORDER BY name")
                } == ["paused", "used"]
            }
            #expect(try await broker.queues().map(\.queue) == ["elsewhere", "full", "paused", "used"])
            await consumer.close()
        }
    }

    private func results(_ ids: Range<Int>, for time: Duration) -> [StatusRecord] {
        ids.map { StatusRecord(TaskStatus(id: "\($0)", state: .success), timeToLive: time) }
    }

    @Test("who stores results deletes twice as many that have expired, without waiting for a time to tidy")
    func storing() async throws {
        try await Bench.with { bench in
            // Nobody works here, so there are no times to tidy but the opening.
            let broker = bench.broker()
            try await broker.connect()
            try await broker.store(results(0..<300, for: .milliseconds(50)))
            try await eventually("they have expired") { try await broker.status(of: "299") == nil }
            #expect(try await rows(broker, "status") == 300)
            try await broker.store(results(300..<400, for: .seconds(99)))
            #expect(try await rows(broker, "status") == 200)
            try await broker.store(results(400..<500, for: .seconds(99)))
            #expect(try await rows(broker, "status") == 200)
            #expect(try await broker.status(of: "300") != nil)
        }
    }

    @Test("what has expired begins to go when a file is opened, also by one who only looks")
    func opening() async throws {
        try await Bench.with { bench in
            let first = bench.broker()
            try await first.store(results(0..<1_800, for: .milliseconds(50)))
            try await eventually("they have expired") { try await first.status(of: "1799") == nil }
            await first.shutdown()
            let second = bench.broker()
            try await second.connect()
            try await eventually("they are deleted") { try await rows(second, "status") == 0 }
        }
    }

    @Test("the log stays small also where two processes write all the time")
    func log() async throws {
        try await Bench.with { bench in
            let payload = [UInt8](repeating: 0x20, count: 100_000)
            let longest = try await withThrowingTaskGroup(of: Int.self) { group in
                for queue in ["a", "b"] {
                    group.addTask {
                        let broker = bench.broker()
                        var longest = 0
                        for _ in 0..<30 {
                            try await broker.send(
                                (0..<20).map { OutgoingMessage(id: "\($0)", queue: queue, payload: payload) })
                            _ = try await broker.purge(queue, delayed: false)
                            longest = max(longest, SystemFile(broker.engine.location.log).size)
                        }
                        return longest
                    }
                }
                return try await group.reduce(0, max)
            }
            #expect((1 << 20..<40 << 20).contains(longest), "the log had \(longest >> 20) MB")
        }
    }

    @Test("dead letters are kept up to their limit, the newest of them")
    func letters() async throws {
        try await Bench.with { bench in
            let broker = bench.broker { $0.deadLetterLimit = 3 }
            let consumer = try await bench.consumer(of: broker)
            for number in 0..<5 {
                try await broker.send([Bench.message("\(number)")])
                let delivery = try #require(try await consumer.claim(upTo: 1).first)
                let letter = DeadLetter(
                    id: "", taskID: "\(number)", task: "t", queue: "q", reason: .rejected, error: "no", attempts: 1,
                    worker: "w", diedAt: Date(), payload: delivery.payload)
                _ = try await consumer.settle([Settlement(delivery, [.bury(letter)])])
            }
            #expect(try await broker.deadLetters(in: nil, limit: 9).compactMap(\.taskID) == ["4", "3", "2"])
            await consumer.close()
        }
    }

    @Test("what has passed through leaves no rows, and the file stays small")
    func throughput() async throws {
        try await Bench.with { bench in
            let broker = bench.broker()
            let consumer = try await bench.consumer(of: broker)
            for round in 0..<20 {
                try await broker.send((0..<200).map { Bench.message("\(round)-\($0)") })
                var left = 200
                while left > 0 {
                    let deliveries = try await consumer.claim(upTo: left)
                    _ = try await consumer.settle(deliveries.map { Settlement($0) })
                    left -= deliveries.count
                }
            }
            await consumer.close()
            for table in ["message", "waiting", "leased", "delayed", "holder"] {
                #expect(try await rows(broker, table) == 0)
            }
            #expect(try await pages(broker) < 200)
        }
    }
}
