// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization
import TestServers
import Testing

@testable import ChardRedis

@Suite("Servers that die, freeze and come back")
struct OutageTests {
    private func impatient() -> RedisOptions {
        var options = RedisOptions()
        options.readTimeout = .milliseconds(500)
        options.idleTimeout = .milliseconds(200)
        options.pingTimeout = .seconds(1)
        return options
    }

    @Test("A pipeline that is under way when the server dies fails, and is not repeated")
    func killedInMidPipeline() async throws {
        try await RedisServer.with(.init(isPersistent: true)) { server in
            let client = try RedisClient(url: RedisURL(server.url))
            try await client.connect()
            let pipeline = Task {
                let commands = [
                    RedisCommand("INCR", "count"), RedisCommand("BLPOP", "nothing", 60), RedisCommand("INCR", "count"),
                ]
                return try await client.pipeline(commands, blockFor: .seconds(60))
            }
            try await eventually("the first command is carried out") { try await server.cli("GET", "count") == "1" }
            await server.kill()
            let error = try await #require(throws: RedisError.self) { _ = try await pipeline.value }
            #expect(error.code == .closed)
            #expect(error.command == "BLPOP")
            #expect(error.isRetryable)
            try await server.restart()
            #expect(try await client.send(RedisCommand("PING")).text == "PONG")
            #expect(try await server.cli("GET", "count") == "1")
            await client.close()
        }
    }

    @Test("A server that has become a replica is left, since the name may lead to another one by now")
    func demoted() async throws {
        try await RedisServer.with { server in
            let client = try RedisClient(url: RedisURL(server.url))
            try await client.connect()
            let first = try #require(client.connectedSince)
            _ = try await server.cli("REPLICAOF", "127.0.0.1", "1")
            let error = try await #require(throws: RedisError.self) {
                _ = try await client.send(RedisCommand("SET", "a", "b"))
            }
            #expect(error.code == .readOnly && error.isRetryable)
            _ = try await server.cli("REPLICAOF", "NO", "ONE")
            #expect(try await client.send(RedisCommand("SET", "a", "b")).text == "OK")
            #expect(client.connectedSince != first)
            await client.close()
        }
    }

    @Test("A frozen server is noticed at the read deadline by those who wait")
    func frozen() async throws {
        try await RedisServer.with { server in
            let connection = try await RedisConnection.connect(to: RedisURL(server.url), options: impatient())
            server.pause()
            let start = ContinuousClock.now
            let error = try await #require(throws: RedisError.self) {
                _ = try await connection.send(RedisCommand("GET", "a"))
            }
            #expect(error.code == .timedOut)
            #expect(error.command == "GET")
            #expect(ContinuousClock.now - start < .seconds(4))
            server.resume()
        }
    }

    @Test("So it is where the caller's thread wrote the command, and nothing had told the event loop")
    func frozenAfterOwnWrite() async throws {
        try await RedisServer.with { server in
            var options = RedisOptions()
            options.idleTimeout = .seconds(1)
            options.readTimeout = .seconds(2)
            let client = try RedisClient(url: RedisURL(server.url), options: options)
            try await client.connect()
            server.pause()
            let start = ContinuousClock.now
            let error = try await #require(throws: RedisError.self) {
                _ = try await client.send(RedisCommand("GET", "a"))
            }
            #expect(error.code == .timedOut && error.command == "GET")
            let took = ContinuousClock.now - start
            #expect(took >= .seconds(2) && took < .seconds(4))
            server.resume()
            await client.close()
        }
    }

    @Test("A frozen server is noticed by an idle client, which then connects anew")
    func frozenWhileIdle() async throws {
        try await RedisServer.with { server in
            let client = try RedisClient(url: RedisURL(server.url), options: impatient())
            let states = StateLog(client)
            try await client.connect()
            let since = try #require(client.connectedSince)
            server.pause()
            try await eventually("the loss is noticed") { states.shown.contains("lost timedOut") }
            #expect(client.connectedSince == nil)
            server.resume()
            try await eventually("a second connection is open") { states.shown.contains("connected 2") }
            #expect(try #require(client.connectedSince) > since)
            await client.close()
            #expect(states.shown.last == "lost shutDown")
        }
    }

    @Test("Callers wait for a server that comes back in time")
    func restart() async throws {
        try await RedisServer.with { server in
            var options = RedisOptions()
            options.commandTimeout = .seconds(15)
            let client = try RedisClient(url: RedisURL(server.url), options: options)
            try await client.connect()
            await server.kill()
            try await eventually("the loss is noticed") { client.connectedSince == nil }
            async let reply = client.send(RedisCommand("INCR", "a"))
            async let future = client.submit([RedisCommand("PING")]).get()
            try await server.restart()
            #expect(try await reply.integer == 1)
            #expect(try await future.first?.text == "PONG")
            await client.close()
        }
    }

    @Test("Callers give up at their deadline, and learn why there was no connection")
    func down() async throws {
        var options = RedisOptions()
        options.commandTimeout = .seconds(1)
        let client = try RedisClient(url: RedisURL("redis://:s3cret@127.0.0.1:1"), options: options)
        let error = try await #require(throws: RedisError.self) { _ = try await client.send(RedisCommand("GET", "a")) }
        #expect(error.code == .timedOut)
        #expect(error.key == "a")
        #expect((error.underlying as? RedisError)?.code == .connectionRefused)
        #expect(!"\(error)".contains("s3cret"))
        await client.close()
        let closed = try await #require(throws: RedisError.self) { _ = try await client.connect() }
        #expect(closed.code == .shutDown)
    }

    @Test("A caller that is cancelled stops waiting at once, connected or not")
    func cancellation() async throws {
        try await RedisServer.with { server in
            let client = try RedisClient(url: RedisURL(server.url))
            try await client.connect()
            server.pause()
            let waiting = Task { try await client.send(RedisCommand("SET", "a", 1)) }
            waiting.cancel()
            let error = try await #require(throws: RedisError.self) { _ = try await waiting.value }
            #expect(error.code == .cancelled)
            #expect(error.underlying is CancellationError)
            server.resume()
            #expect(try await client.send(RedisCommand("PING")).text == "PONG")
            await client.close()
        }
    }

    @Test("A client may be dropped at any moment of its life: its callers fail or are answered, and nothing crashes")
    func droppedEarly() async throws {
        try await RedisServer.with { server in
            for round in 0..<200 {
                var client: RedisClient? = try RedisClient(url: RedisURL(server.url))
                let reply = client?.submit([RedisCommand("PING")])
                if round.isMultiple(of: 3) { await Task.yield() }
                client = nil
                do {
                    let text = try await reply?.get().first?.text
                    #expect(text == "PONG")
                } catch let error as RedisError {
                    #expect([.closed, .shutDown].contains(error.code))
                }
            }
            try await eventually("the server sees them go") {
                try await server.cli("CLIENT", "LIST").split(separator: "\n").count == 1
            }
        }
    }

    @Test("A client that nobody holds any more closes its connection and fails its callers")
    func dropped() async throws {
        try await RedisServer.with { server in
            var client: RedisClient? = try RedisClient(url: RedisURL(server.url))
            let idle = try await client?.submit([RedisCommand("CLIENT", "SETNAME", "dropped")]).get()
            #expect(idle?.first?.text == "OK")
            client = nil
            try await eventually("the server sees it go") {
                try await !server.cli("CLIENT", "LIST").contains("name=dropped")
            }
        }
    }
}

/// The changes of a client's connection, as short words.
private final class StateLog: Sendable {
    private let states = Mutex<[String]>([])

    init(_ client: RedisClient) {
        client.onStateChange { [self] state in
            states.withLock {
                switch state {
                case .connected(let generation): $0.append("connected \(generation)")
                case .disconnected(let error): $0.append("lost \(error.code)")
                }
            }
        }
    }

    var shown: [String] { states.withLock { $0 } }
}
