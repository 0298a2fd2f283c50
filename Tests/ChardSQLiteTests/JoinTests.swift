// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Foundation
import GRDB
import Testing

@testable import ChardSQLite

@Suite("Joins in a file", .fewAtATime, .timeLimit(.minutes(3)))
struct JoinTests {
    private func rows(_ broker: SQLiteBroker, _ table: String) async throws -> Int {
        try await broker.engine.read { db in try db.value(Int.self, "SELECT count(*) FROM \(table)") ?? 0 }
    }

    private func part(
        _ number: Int, of group: String = "g", for time: Duration = .seconds(600), closing: JoinPart.Closing? = nil
    ) -> JoinPart {
        JoinPart(
            group: group, member: "\(number)", index: number, isSuccess: true, end: Array("[\(number)]".utf8),
            timeToLive: time, closing: closing)
    }

    private func opening(_ size: Int, _ group: String = "g", for time: Duration = .seconds(600)) -> JoinOpening {
        JoinOpening(group: group, size: size, members: Array("{}".utf8), timeToLive: time)
    }

    @Test("a file from before there were joins is brought up to date")
    func migrated() async throws {
        try await Bench.with { bench in
            let old = bench.broker()
            try await old.send([Bench.message("kept")])
            _ = try await old.engine.write(durably: false) { transaction in
                try transaction.db.execute(
                    sql:
                        "DROP TABLE history; DROP TABLE seal; DROP TABLE record; DROP TABLE record_value; DROP TABLE joined; DROP TABLE join_end; PRAGMA user_version = 2"
                )
            }
            await old.shutdown()
            let broker = bench.broker()
            try await broker.open([opening(2)])
            #expect(try await broker.join(part(0)) == .counted(1, of: 2))
            #expect(try await broker.queues().map(\.waiting) == [1])
        }
    }

    @Test("an end is counted whichever process counts it")
    func shared() async throws {
        try await Bench.with { bench in
            let brokers = [bench.broker(), bench.broker()]
            try await brokers[0].open([opening(101)])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (offset, broker) in brokers.enumerated() {
                    group.addTask {
                        for number in 0..<50 { _ = try await broker.join(part(number * 2 + offset)) }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await brokers[0].join(part(100)) == .last)
            #expect(try await brokers[1].ends(of: "g") == (0..<100).map { Array("[\($0)]".utf8) })
        }
    }

    @Test("a join whose time is over is none, and one that is begun anew has its own time")
    func expiry() async throws {
        try await Bench.with { bench in
            let broker = bench.broker()
            try await broker.open([opening(3, for: .milliseconds(50))])
            try await eventually("it is over") { try await broker.members(of: "g") == nil }
            #expect(try await broker.join(part(0, for: .milliseconds(50))) == .counted(1, of: nil))
            try await eventually("that one, too") { try await broker.ends(of: "g").isEmpty }
            #expect(try await broker.join(part(1)) == .counted(1, of: nil))
            #expect(try await broker.ends(of: "g") == [Array("[1]".utf8)])
            // What counts ends deletes what is over.
            #expect(try await broker.join(part(2)) == .counted(2, of: nil))
            #expect(try await rows(broker, "joined") == 1)
            #expect(try await rows(broker, "join_end") == 2)
        }
    }

    @Test("the ends of joins that are over are deleted, however many there are")
    func tidying() async throws {
        try await Bench.with { bench in
            let broker = bench.broker { $0.tidying = .milliseconds(50) }
            try await broker.open([opening(1_201), opening(9, "other")])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<1_200 { group.addTask { _ = try await broker.join(part(number)) } }
                try await group.waitForAll()
            }
            _ = try await broker.join(part(1, of: "other"))
            #expect(try await broker.join(part(1_200, closing: .success)) == .closed)
            #expect(try await broker.ends(of: "g").isEmpty)
            #expect(try await broker.members(of: "g") == Array("{}".utf8))
            // Whoever works tidies.
            let consumer = try await bench.consumer(of: broker)
            try await eventually("the ends are deleted") { try await rows(broker, "join_end") == 1 }
            try await eventually("and their join") { try await rows(broker, "joined") == 2 }
            #expect(try await broker.join(part(0)) == .late)
            #expect(try await broker.ends(of: "other").count == 1)
            await consumer.close()
        }
    }
}
