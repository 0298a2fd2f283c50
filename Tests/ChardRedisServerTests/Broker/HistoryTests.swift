// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import TestServers
import Testing

@testable import ChardRedis

@Suite("The history on a Redis server", .timeLimit(.minutes(2)))
struct HistoryTests {
    private func settings(_ history: HistoryLimits) -> RedisSettings {
        var settings = RedisSettings()
        settings.history = history
        return settings
    }

    private func attempt(_ number: Int) -> AttemptRecord {
        AttemptRecord(Attempt(id: "\(number)", end: number % 4 == 0 ? .failure : .success, endedAt: Date()))
    }

    @Test(
        "however many write at once, it stays within its number, keeps nearly as much, and everything has a time to live"
    )
    func limits() async throws {
        try await BrokerBench.with { bench in
            let brokers = try (0..<8).map { _ in try bench.broker(settings(HistoryLimits(attempts: 800))) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (place, broker) in brokers.enumerated() {
                    group.addTask {
                        for round in 0..<100 {
                            let first = (round * brokers.count + place) * 10
                            try await broker.note((first..<first + 10).map { attempt($0) })
                        }
                    }
                }
                try await group.waitForAll()
            }
            let kept = try await brokers[0].attempts(
                since: .distantPast, onlyBad: false, limit: .max, matching: { _ in true })
            // A segment ends behind what all were writing just then, and the newest is not full.
            #expect(620...1_600 ~= kept.count, "\(kept.count)")
            #expect(try await brokers[1].attempts(of: "0").isEmpty)
            #expect(try await brokers[1].attempts(of: kept[0].id) == [kept[0]])
            let keys = try await bench.server.cli("KEYS", "chard:{history}*").split(separator: "\n")
            #expect(keys.count <= 8 * 3 + 2, "\(keys)")
            for key in keys { #expect(try await bench.server.cli("PTTL", String(key)) != "-1", "\(key)") }
        }
    }

    @Test("whoever reads on reads on after the server was emptied, and over the beginning of segments")
    func readsOn() async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker(settings(HistoryLimits(attempts: 800)))
            for round in 0..<30 { try await broker.note((round * 10..<round * 10 + 10).map { attempt($0) }) }
            var page = try await broker.attempts(after: nil, limit: 1_000)
            #expect(Set(page.attempts.map(\.id)).count == 300 && page.attempts.count == 300)
            _ = try await bench.server.cli("FLUSHALL")
            let other = try bench.broker(settings(HistoryLimits(attempts: 800)))
            try await other.note([attempt(1_000), attempt(1_001)])
            page = try await broker.attempts(after: page.cursor, limit: 1_000)
            #expect(page.attempts.map(\.id).sorted() == ["1000", "1001"])
            #expect(try await broker.attempts(after: page.cursor, limit: 1_000).attempts.isEmpty)
        }
    }

    @Test("what is old is let go segment by segment")
    func age() async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker(settings(HistoryLimits(timeToLive: .seconds(6))))
            try await broker.note([attempt(0)])
            #expect(try await broker.attempts(of: "0").count == 1)
            var number = 0
            try await eventually("the first is forgotten, while others come") {
                number += 1
                try await broker.note([attempt(number)])
                // A machine that stood still for so long has forgotten the last one, too.
                let last = try await broker.attempts(of: "\(number)")
                let isFirstForgotten = try await broker.attempts(of: "0").isEmpty
                return isFirstForgotten && last.count == 1
            }
            #expect(Int(try await bench.server.cli("ZCARD", "chard:{history}:segments")) ?? 0 > 1)
        }
    }
}
