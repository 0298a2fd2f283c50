// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization
import TestServers
import Testing

@testable import ChardRedis

@Suite("Sentinels that tell the truth, lie, or say nothing", .timeLimit(.minutes(1)))
struct SentinelTests {
    /// A server that says that it is in this role.
    private func server(as role: String, _ body: (ScriptedServer) async throws -> Void) async throws {
        let replies: @Sendable ([String]) -> String = { words in
            switch words[0] {
            case "ROLE": "*1\r\n$\(role.utf8.count)\r\n\(role)\r\n"
            case "PING": "+PONG\r\n"
            default: ":7\r\n"
            }
        }
        try await ScriptedServer.with(.answerEach(replies), body)
    }

    /// A sentinel that names a port; nil knows no such name.
    private func sentinel(
        naming port: @escaping @Sendable () -> Int?, _ body: (ScriptedServer) async throws -> Void
    ) async throws {
        let replies: @Sendable ([String]) -> String = { words in
            guard words[0] == "SENTINEL" else { return words[0] == "PING" ? "+PONG\r\n" : ":1\r\n" }
            guard words[2] == "mymaster", let port = port() else { return "*-1\r\n" }
            return "*2\r\n$9\r\n127.0.0.1\r\n$\("\(port)".utf8.count)\r\n\(port)\r\n"
        }
        try await ScriptedServer.with(.answerEach(replies), body)
    }

    private func url(_ ports: Int..., query: String = "") throws -> RedisURL {
        let hosts = ports.map { "127.0.0.1:\($0)" }.joined(separator: ",")
        return try RedisURL("redis+sentinel://\(hosts)/mymaster/0\(query)")
    }

    private func failure(_ url: RedisURL, _ options: RedisOptions = RedisOptions()) async throws -> RedisError {
        try await #require(throws: RedisError.self) {
            _ = try await RedisConnection.connect(to: url, options: options)
        }
    }

    @Test("The first that knows the name is believed; who does not answer is passed over, and asked last the next time")
    func passedOver() async throws {
        try await server(as: "master") { server in
            let port = server.port
            try await sentinel(naming: { nil }) { ignorant in
                try await sentinel(naming: { port }) { knowing in
                    let options = RedisOptions()
                    let url = try url(try FreePort.find(), ignorant.port, knowing.port)
                    let connection = try await RedisConnection.connect(to: url, options: options)
                    #expect(connection.url.address == .tcp(host: "127.0.0.1", port: port))
                    let finding = try await options.primaries.finder
                        .find(try #require(url.sentinels), clientName: nil, on: RedisClient.sharedLoop).get()
                    #expect(finding.place == 2)
                    await connection.close()
                }
            }
        }
    }

    @Test("A name that none of them knows is said, with who was asked")
    func unknownName() async throws {
        try await sentinel(naming: { nil }) { sentinel in
            let dead = try FreePort.find()
            let error = try await failure(try url(sentinel.port, dead))
            #expect(error.code == .unreachable && error.isRetryable)
            #expect(error.message.contains("sentinel 127.0.0.1:\(sentinel.port) knows no primary \"mymaster\""))
            #expect(error.message.contains("127.0.0.1:\(dead)"))
        }
    }

    @Test("One that names a replica is not believed, and the next one is asked")
    func namesReplica() async throws {
        try await server(as: "slave") { replica in
            try await server(as: "master") { primary in
                let (wrong, right) = (replica.port, primary.port)
                try await sentinel(naming: { wrong }) { liar in
                    try await sentinel(naming: { right }) { honest in
                        let options = RedisOptions()
                        let url = try url(liar.port, honest.port)
                        let error = try await failure(url, options)
                        #expect(error.code == .unreachable)
                        #expect(
                            error.message
                                == "sentinel 127.0.0.1:\(liar.port) names 127.0.0.1:\(wrong) as the primary of "
                                + "\"mymaster\": 127.0.0.1:\(wrong) says that it is a replica")
                        let connection = try await RedisConnection.connect(to: url, options: options)
                        #expect(connection.url.peer == "127.0.0.1:\(right)")
                        await connection.close()
                    }
                }
            }
        }
    }

    @Test("One that names an address where nothing listens is named with it")
    func namesNobody() async throws {
        let dead = try FreePort.find()
        try await sentinel(naming: { dead }) { sentinel in
            let error = try await failure(try url(sentinel.port))
            #expect(error.code == .connectionRefused)
            let start = "sentinel 127.0.0.1:\(sentinel.port) names 127.0.0.1:\(dead) as the primary"
            #expect(error.message.hasPrefix(start))
        }
    }

    @Test("What is no sentinel, or refuses the password, is said")
    func refused() async throws {
        let noSentinel: @Sendable ([String]) -> String = {
            $0[0] == "SENTINEL" ? "-ERR unknown command 'SENTINEL'\r\n" : "+OK\r\n"
        }
        try await ScriptedServer.with(.answerEach(noSentinel)) { server in
            let error = try await failure(try url(server.port))
            #expect(error.code == .unreachable && error.message.contains("is it a sentinel?"))
        }
        let strict: @Sendable ([String]) -> String = { _ in "-WRONGPASS invalid username-password pair\r\n" }
        try await ScriptedServer.with(.answerEach(strict)) { server in
            let error = try await failure(try url(server.port, query: "?sentinel_password=s3cret"))
            #expect(error.code == .authentication && !error.isRetryable)
            #expect(error.message.contains("sentinel_password=") && !error.message.contains("s3cret"))
        }
    }

    @Test("A connection to a server that they name no more is ended, though it says nothing")
    func switched() async throws {
        try await server(as: "master") { first in
            try await server(as: "master") { second in
                let named = Mutex(first.port)
                try await sentinel(naming: { named.withLock { $0 } }) { sentinel in
                    let connection = try await RedisConnection.connect(to: try url(sentinel.port))
                    named.withLock { $0 = second.port }
                    let start = ContinuousClock.now
                    try await connection.closeFuture.get()
                    #expect(ContinuousClock.now - start < .seconds(5))
                    let error = try await #require(throws: RedisError.self) {
                        _ = try await connection.send(RedisCommand("PING"))
                    }
                    #expect(error.message.contains("no more 127.0.0.1:\(first.port)"))
                }
            }
        }
    }
}
