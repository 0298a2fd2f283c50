// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import Testing

@testable import ChardRedis

@Suite("Opening a connection to what is no usable Redis server")
struct OpeningTests {
    /// The error of an attempt to connect; longer than any failure takes here, but for those that are about time.
    private func failure(_ url: String, timeout: Duration = .seconds(20)) async throws -> RedisError {
        var options = RedisOptions()
        options.connectTimeout = timeout
        let parsed = try RedisURL(url)
        return try await #require(throws: RedisError.self) {
            _ = try await RedisConnection.connect(to: parsed, options: options)
        }
    }

    @Test(
        "A port that speaks something else is named as such",
        arguments: [
            "HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "220 mail ESMTP\r\n",
            "\u{15}\u{3}\u{1}\u{0}\u{2}\u{2}F",
        ])
    func notRedis(answer: String) async throws {
        try await ScriptedServer.with(.answer(answer)) { server in
            let error = try await failure("redis://127.0.0.1:\(server.port)")
            #expect(error.code == .protocolError)
            #expect(error.message.contains("127.0.0.1:\(server.port) does not speak Redis's protocol"))
            #expect(!error.isRetryable)
        }
    }

    @Test("A server that says nothing is given up at the deadline")
    func silence() async throws {
        try await ScriptedServer.with(.stayCalm) { server in
            let start = ContinuousClock.now
            let error = try await failure("redis://127.0.0.1:\(server.port)", timeout: .milliseconds(200))
            #expect(error.code == .timedOut)
            #expect(ContinuousClock.now - start < .seconds(15))
        }
    }

    @Test("A TLS handshake that gets no answer is given up at the deadline")
    func silentHandshake() async throws {
        try await ScriptedServer.with(.stayCalm) { server in
            let error = try await failure("rediss://127.0.0.1:\(server.port)", timeout: .milliseconds(200))
            #expect(error.code == .timedOut)
        }
    }

    @Test("A server that hangs up is a lost connection")
    func hangUp() async throws {
        try await ScriptedServer.with(.hangUp) { server in
            let error = try await failure("redis://:s3cret@127.0.0.1:\(server.port)")
            #expect(error.code == .closed)
            #expect(error.message.contains("rediss://"))
            #expect(!"\(error) \(error.underlying.map { "\($0)" } ?? "")".contains("s3cret"))
        }
    }

    @Test("A server that hangs up during the TLS handshake is a lost connection, which may be cured by waiting")
    func hangUpDuringHandshake() async throws {
        try await ScriptedServer.with(.hangUp) { server in
            let error = try await failure("rediss://127.0.0.1:\(server.port)")
            #expect(error.code == .closed)
        }
    }

    @Test("TLS with a server that speaks in the clear fails as TLS")
    func plainServer() async throws {
        try await ScriptedServer.with(.answer("-ERR what?\r\n")) { server in
            let error = try await failure("rediss://127.0.0.1:\(server.port)")
            #expect(error.code == .tls)
            #expect(!error.isRetryable)
        }
    }

    @Test("A port nobody listens on, and a socket that is not there, are refused")
    func refused() async throws {
        let error = try await failure("redis://:s3cret@127.0.0.1:1")
        #expect(error.code == .connectionRefused)
        #expect(error.message.contains("127.0.0.1:1"))
        #expect(!"\(error)".contains("s3cret"))
        #expect(try await failure("redis+unix:///nowhere/redis.sock").code == .connectionRefused)
    }

    @Test("A host without an address can't be reached")
    func unknownHost() async throws {
        let error = try await failure("redis://no-such-host.invalid")
        #expect(error.code == .unreachable)
        #expect(error.isRetryable)
    }

    @Test("A certificate authority that can't be read is said by its file")
    func missingFile() async throws {
        let error = try await failure("rediss://127.0.0.1:1?ssl_ca_certs=/nowhere/ca.pem")
        #expect(error.code == .tls)
        #expect(error.message.contains("/nowhere/ca.pem"))
    }

    @Test(
        "What the server says of the greeting decides",
        arguments: [
            ("-NOAUTH Authentication required.\r\n", "", .authentication),
            ("-LOADING Redis is loading\r\n", "", .loading),
            ("-ERR max number of clients reached\r\n", "", .tooManyClients),
            ("-WRONGPASS invalid\r\n-NOAUTH x\r\n-NOAUTH x\r\n", ":s3cret@", .authentication),
            (
                "-ERR unknown command 'AUTH', with args beginning with: 's3cret'\r\n+PONG\r\n:1\r\n", ":s3cret@",
                .authentication
            ),
        ] as [(String, String, RedisError.Code)])
    func refusedGreeting(answer: String, credentials: String, code: RedisError.Code) async throws {
        let whole = credentials.isEmpty ? answer + answer : answer
        try await ScriptedServer.with(.answer(whole)) { server in
            let error = try await failure("redis://\(credentials)127.0.0.1:\(server.port)")
            #expect(error.code == code)
            #expect(!"\(error)".contains("s3cret"))
        }
    }

    @Test("A server that lacks CLIENT, or forbids PING, is one all the same")
    func modestServer() async throws {
        try await ScriptedServer.with(.answer("-NOPERM no ping\r\n-ERR unknown command 'CLIENT'\r\n")) { server in
            let connection = try await RedisConnection.connect(to: RedisURL("redis://127.0.0.1:\(server.port)"))
            #expect(connection.clientID == nil)
            await connection.close()
        }
    }
}
