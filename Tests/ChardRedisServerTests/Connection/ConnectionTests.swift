// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import TestServers
import Testing

@testable import ChardRedis

@Suite("Commands to a real server")
struct ConnectionTests {
    @Test("Every one of many callers gets the replies to its own commands")
    func manyCallers() async throws {
        try await RedisServer.with { server in
            let client = try RedisClient(url: RedisURL(server.url))
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for caller in 0..<50 {
                    group.addTask {
                        for round in 0..<40 {
                            let words = (0..<5).map { "\(caller)/\(round)/\($0)" }
                            let replies = try await client.pipeline(words.map { RedisCommand("ECHO", $0) })
                            if replies.map(\.text) != words { return false }
                        }
                        return true
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
            #expect(try await server.cli("INFO", "clients").contains("connected_clients:2"))
            await client.close()
        }
    }

    @Test("A server that has as many clients as it takes is quoted, each time")
    func tooManyClients() async throws {
        try await RedisServer.with { server in
            let held = try await RedisConnection.connect(to: RedisURL(server.url))
            _ = try await held.send(RedisCommand("CONFIG", "SET", "maxclients", 1))
            for _ in 0..<10 {
                let error = try #require(
                    await #expect(throws: RedisError.self) {
                        try await RedisConnection.connect(to: RedisURL(server.url))
                    })
                #expect(error.code == .tooManyClients && error.isRetryable)
                #expect(error.message.contains("max number of clients reached"))
            }
            await held.close()
        }
    }

    @Test(
        "So does everyone where some come one by one, some many at once, and some on the event loop",
        arguments: RedisServer.isUsual ? [false, true] : [false])
    func mixedCallers(hasTLS: Bool) async throws {
        try await RedisServer.with(.init(transport: hasTLS ? .tls() : .tcp)) { server in
            let client = try RedisClient(url: RedisURL(server.url))
            for width in [1, 2, 3, 8, 1] {
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    for caller in 0..<width {
                        group.addTask {
                            for round in 0..<300 {
                                let words = (0...round % 3).map { "\(caller)/\(round)/\($0)" }
                                let commands = words.map { RedisCommand("ECHO", $0) }
                                let replies =
                                    round % 5 == caller % 5
                                    ? try await client.eventLoop.flatSubmit { client.submit(commands) }.get()
                                    : try await client.pipeline(commands)
                                if replies.map(\.text) != words { return false }
                                if round % 7 == 0 { try await Task.sleep(for: .microseconds(Int.random(in: 0...400))) }
                            }
                            return true
                        }
                    }
                    for try await isRight in group { #expect(isRight) }
                }
            }
            await client.close()
        }
    }

    @Test("Values of 20 MB, binary values and nested replies come back as they are")
    func values() async throws {
        try await RedisServer.with { server in
            let connection = try await RedisConnection.connect(to: RedisURL(server.url))
            let large = (0..<20_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let replies = try await connection.pipeline([
                RedisCommand("SET", "large", large), RedisCommand("GET", "large"), RedisCommand("GET", "missing"),
                RedisCommand("EVAL", "return {1, {'a', {}, false}, redis.status_reply('fine')}", 0),
            ])
            #expect(replies.first?.text == "OK")
            #expect(replies[1].bytes == large)
            #expect(replies[2].isNull)
            #expect(replies[3].array?.first?.integer == 1)
            #expect(replies[3].array?[1].array?.map(\.isNull) == [false, false, true])
            #expect(replies[3].array?.last?.text == "fine")
            await connection.close()
        }
    }

    @Test("An error in a pipeline is one of its values; a lone command throws it")
    func errors() async throws {
        try await RedisServer.with { server in
            let connection = try await RedisConnection.connect(to: RedisURL(server.url))
            let replies = try await connection.pipeline([
                RedisCommand("SET", "text", "x"), RedisCommand("LPUSH", "text", "y"), RedisCommand("INCR", "number"),
                RedisCommand("NONSENSE"),
            ])
            #expect(replies.map { $0.error?.code } == [nil, .wrongType, nil, .server])
            #expect(replies[1].error?.description.hasPrefix("LPUSH text: WRONGTYPE") == true)
            #expect(replies[2].integer == 1)
            let error = try await #require(throws: RedisError.self) {
                _ = try await connection.send(RedisCommand("LPUSH", "text", "y"))
            }
            #expect(error.code == .wrongType)
            #expect(try await connection.pipeline([]).isEmpty)
            await connection.close()
        }
    }

    @Test("Futures complete on the event loop, without Swift's task pool")
    func futures() async throws {
        try await RedisServer.with { server in
            let client = try RedisClient(url: RedisURL(server.url))
            let loop = client.eventLoop
            let isOnLoop = try await client.submit([RedisCommand("SET", "a", 1)])
                .flatMap { _ in client.submit([RedisCommand("INCR", "a")]) }
                .map { replies in loop.inEventLoop && replies.first?.integer == 2 }
                .get()
            #expect(isOnLoop)
            #expect(try await client.submit([]).get().isEmpty)
            await client.close()
        }
    }

    @Test("Database, name and number of a connection are as asked for")
    func greeting() async throws {
        try await RedisServer.with { server in
            let connection = try await RedisConnection.connect(
                to: RedisURL(server.url(database: 3)), options: RedisOptions(clientName: "chard-test"))
            _ = try await connection.send(RedisCommand("SET", "a", 1))
            #expect(try await server.cli("-n", "3", "GET", "a") == "1")
            let list = try await server.cli("CLIENT", "LIST")
            let clientID = try #require(connection.clientID)
            #expect(list.contains("name=chard-test"))
            #expect(list.contains("id=\(clientID) "))
            await connection.close()
            await #expect(throws: RedisError.self) { _ = try await connection.send(RedisCommand("PING")) }
        }
    }

    @Test("A database that the server does not have is refused")
    func noSuchDatabase() async throws {
        try await RedisServer.with { server in
            let url = try RedisURL(server.url(database: 99))
            let error = try await #require(throws: RedisError.self) { _ = try await RedisConnection.connect(to: url) }
            #expect(error.command == "SELECT")
            #expect(!error.isRetryable)
        }
    }

    @Test("A Unix socket carries the same")
    func unixSocket() async throws {
        try await RedisServer.with(.init(transport: .unixSocket)) { server in
            let connection = try await RedisConnection.connect(to: RedisURL(server.url(database: 2)))
            #expect(try await connection.send(RedisCommand("INCR", "a")).integer == 1)
            #expect(try await server.cli("-n", "2", "GET", "a") == "1")
            await connection.close()
        }
    }
}
