// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import TestServers
import Testing

@testable import ChardRedis

@Suite("Scripts")
struct ScriptTests {
    private static let add = RedisScript("return redis.call('INCRBY', KEYS[1], ARGV[1])")

    @Test("A script runs on a server that has never seen it, and on one that has forgotten it")
    func forgotten() async throws {
        try await RedisServer.with { server in
            let client = try RedisClient(url: RedisURL(server.url))
            #expect(try await client.run(Self.add, keys: ["a"], 2).integer == 2)
            #expect(try await client.run(Self.add, keys: ["a"], 3).integer == 5)
            try await server.cli("SCRIPT", "FLUSH")
            #expect(try await client.run(Self.add, keys: ["a"], 4).integer == 9)
            #expect(try await server.cli("SCRIPT", "EXISTS", Self.add.digest) == "1")
            await client.close()
        }
    }

    @Test("In a pipeline only what failed is repeated, once")
    func pipeline() async throws {
        try await RedisServer.with { server in
            let connection = try await RedisConnection.connect(to: RedisURL(server.url))
            let replies = try await connection.pipeline([
                Self.add.command(keys: ["a"], 1), RedisCommand("INCR", "b"), Self.add.command(keys: ["a"], 1),
            ])
            #expect(replies.map(\.integer) == [1, 1, 2])
            #expect(try await server.cli("GET", "b") == "1")
            await connection.close()
        }
    }

    @Test("A script's own error comes back with its command and key")
    func error() async throws {
        try await RedisServer.with { server in
            let client = try RedisClient(url: RedisURL(server.url))
            _ = try await client.send(RedisCommand("LPUSH", "list", "x"))
            let error = try await #require(throws: RedisError.self) {
                _ = try await client.run(Self.add, keys: ["list"], 1)
            }
            #expect(error.code == .wrongType)
            #expect(error.key == "list")
            await client.close()
        }
    }
}
