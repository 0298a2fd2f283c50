// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardTesting
import FoundationEssentials
import TestServers
import Testing

@testable import ChardRedis

@Suite("The broker contract on a Redis server", .atOnce(8), .timeLimit(.minutes(5)))
struct ConformanceTests {
    @Test("a clause", arguments: BrokerClause.all)
    func clause(_ clause: BrokerClause) async throws {
        try await RedisServer.with { server in
            let verdict = try await clause.verify(on: RedisFixture(server: server))
            #expect(verdict == .kept)
        }
    }

    /// A few runs to a server: what they wait for is time.
    @Test("random interleavings", arguments: Array(stride(from: UInt64(0), to: 32, by: 4)))
    func interleavings(_ first: UInt64) async throws {
        try await RedisServer.with { server in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for seed in first..<first + 4 {
                    let fixture = RedisFixture(server: server, prefix: "run-\(seed):")
                    group.addTask { try await BrokerInterleaving(seed: seed).verify(on: fixture) }
                }
                try await group.waitForAll()
            }
        }
    }
}

/// A server whose time passes as it does, with a lease that is short to wait for.
private struct RedisFixture: BrokerFixture {
    let server: RedisServer
    var prefix = ""
    let recovery = Duration.seconds(7)
    let moment = Duration.seconds(1)

    var now: Date { Date() }

    func open() async throws -> any Broker {
        var settings = BrokerBench.quick
        settings.keyPrefix = prefix
        return RedisBroker(try RedisURL(server.url), settings: settings)
    }

    func silence(_ consumer: any Consumer) async throws {
        guard let consumer = consumer as? RedisConsumer else { throw TestServerError("no Redis consumer") }
        await consumer.fallSilent()
    }

    func pass(_ duration: Duration) async throws {
        try await Task.sleep(for: duration)
    }
}
