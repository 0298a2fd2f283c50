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

    @Test("random workflows", arguments: UInt64(0)..<8)
    func workflows(_ seed: UInt64) async throws {
        try await RedisServer.with { server in
            try await BrokerWorkflows(seed: seed).verify(on: RedisFixture(server: server))
            // What is left expires by itself.
            let script =
                "local n = 0 for _, k in ipairs(redis.call('KEYS', '*taskset*')) do if redis.call('TTL', k) < 0 then n = n + 1 end end return n"
            #expect(try await server.cli("EVAL", script, "0") == "0")
        }
    }

    /// Which finds out what comes twice, too: each member is sent twice.
    @Test("random workflows, with results on another server", arguments: UInt64(8)..<12)
    func workflowsElsewhere(_ seed: UInt64) async throws {
        try await RedisServer.with { server in
            try await RedisServer.with { results in
                try await BrokerWorkflows(seed: seed).verify(
                    on: RedisFixture(server: server), resultsOn: RedisFixture(server: results))
                #expect(try await results.cli("DBSIZE") != "0")
                #expect(try await server.cli("--scan", "--pattern", "celery-task-meta-*") == "")
            }
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
