// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import TestServers
import Testing

@testable import ChardRedis

@Suite("Commands that block")
struct BlockingTests {
    private static let wait = RedisCommand("BLMOVE", "waiting", "leased", "RIGHT", "LEFT", 30)

    private func untilBlocked(_ server: RedisServer) async throws {
        try await eventually("a client is blocked") {
            try await server.cli("INFO", "clients").contains("blocked_clients:1")
        }
    }

    @Test("A blocking command gets what comes, beyond the read deadline")
    func pop() async throws {
        try await RedisServer.with { server in
            var options = RedisOptions()
            options.readTimeout = .seconds(1)
            let connection = try await RedisConnection.connect(to: RedisURL(server.url), options: options)
            let empty = RedisCommand("BLMOVE", "waiting", "leased", "RIGHT", "LEFT", 1.5)
            #expect(try await connection.send(empty, blockFor: .milliseconds(1500)).isNull)
            async let element = connection.send(Self.wait, blockFor: .seconds(30))
            try await untilBlocked(server)
            try await server.cli("LPUSH", "waiting", "x")
            #expect(try await element.text == "x")
            await connection.close()
        }
    }

    @Test("A blocking command that is cancelled closes its connection, so that the server hands it nothing")
    func cancelled() async throws {
        try await RedisServer.with { server in
            let connection = try await RedisConnection.connect(to: RedisURL(server.url))
            let waiting = Task { try await connection.send(Self.wait, blockFor: .seconds(30)) }
            try await untilBlocked(server)
            waiting.cancel()
            let error = try await #require(throws: RedisError.self) { _ = try await waiting.value }
            #expect(error.code == .cancelled)
            try await connection.closeFuture.get()
            try await eventually("the server has let it go") {
                try await server.cli("INFO", "clients").contains("blocked_clients:0")
            }
            try await server.cli("LPUSH", "waiting", "x")
            #expect(try await server.cli("LLEN", "waiting") == "1")
        }
    }

    @Test("A client whose blocking command was cancelled opens another connection")
    func reconnects() async throws {
        try await RedisServer.with { server in
            let client = try RedisClient(url: RedisURL(server.url))
            let waiting = Task { try await client.send(Self.wait, blockFor: .seconds(30)) }
            try await untilBlocked(server)
            let first = client.connectedSince
            waiting.cancel()
            _ = await waiting.result
            #expect(try await client.send(RedisCommand("PING")).text == "PONG")
            #expect(client.connectedSince != first)
            await client.close()
        }
    }

    @Test("CLIENT UNBLOCK calls a blocked connection back, which stays in use")
    func unblocked() async throws {
        try await RedisServer.with { server in
            let connection = try await RedisConnection.connect(to: RedisURL(server.url))
            let clientID = try #require(connection.clientID)
            async let empty = connection.send(Self.wait, blockFor: .seconds(30))
            try await untilBlocked(server)
            try await server.cli("CLIENT", "UNBLOCK", "\(clientID)")
            #expect(try await empty.isNull)
            let waiting = Task { try await connection.send(Self.wait, blockFor: .seconds(30)) }
            try await untilBlocked(server)
            try await server.cli("CLIENT", "UNBLOCK", "\(clientID)", "ERROR")
            let error = try await #require(throws: RedisError.self) { _ = try await waiting.value }
            #expect(error.code == .unblocked)
            await connection.close()
        }
    }

    @Test("A server that freezes under a blocking command is noticed after its time and the read deadline")
    func frozen() async throws {
        try await RedisServer.with { server in
            var options = RedisOptions()
            options.readTimeout = .milliseconds(200)
            let connection = try await RedisConnection.connect(to: RedisURL(server.url), options: options)
            let wait = RedisCommand("BLMOVE", "waiting", "leased", "RIGHT", "LEFT", 0.2)
            let waiting = Task { try await connection.send(wait, blockFor: .milliseconds(200)) }
            server.pause()
            let error = try await #require(throws: RedisError.self) { _ = try await waiting.value }
            #expect(error.code == .timedOut)
            server.resume()
        }
    }
}
