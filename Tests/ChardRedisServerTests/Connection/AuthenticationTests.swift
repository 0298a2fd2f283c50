// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import TestServers
import Testing

@testable import ChardRedis

@Suite("Passwords and certificates")
struct AuthenticationTests {
    private func failure(_ url: String, within timeout: Duration = .seconds(5)) async throws -> RedisError {
        let parsed = try RedisURL(url)
        var changed = RedisOptions()
        changed.connectTimeout = timeout
        let options = changed
        do throws(RedisError) {
            await (try RedisConnection.connect(to: parsed, options: options)).close()
        } catch {
            return error
        }
        throw TestServerError("\(url) lets in")
    }

    private func ping(_ url: String) async throws -> String? {
        let connection = try await RedisConnection.connect(to: RedisURL(url))
        let answer = try await connection.send(RedisCommand("PING")).text
        await connection.close()
        return answer
    }

    @Test("The right password lets in, a wrong one or none does not, and no error holds it")
    func password() async throws {
        try await RedisServer.with(.init(password: "r1ght")) { server in
            #expect(try await ping(server.url) == "PONG")
            #expect(try await ping("redis://default:r1ght@127.0.0.1:\(server.port)") == "PONG")
            for credentials in ["", ":wr0ng@", "nobody:wr0ng@"] {
                let error = try await failure("redis://\(credentials)127.0.0.1:\(server.port)")
                #expect(error.code == .authentication)
                #expect(!error.isRetryable)
                #expect(!"\(error)\(String(reflecting: error))".contains("wr0ng"))
            }
        }
    }

    @Test("A password where the server has none is refused as such")
    func needlessPassword() async throws {
        try await RedisServer.with { server in
            let error = try await failure("redis://:s3cret@127.0.0.1:\(server.port)")
            #expect(error.code == .authentication)
        }
    }

    @Test("A client with a wrong password fails its callers at once, and not only at their deadline")
    func clientFailsAtOnce() async throws {
        try await RedisServer.with(.init(password: "r1ght")) { server in
            let client = RedisClient(url: try RedisURL("redis://:wr0ng@127.0.0.1:\(server.port)"))
            let start = ContinuousClock.now
            for _ in 0..<3 {
                let error = try await #require(throws: RedisError.self) { _ = try await client.connect() }
                #expect(error.code == .authentication)
            }
            #expect(ContinuousClock.now - start < .seconds(4))
            try await server.cli("CONFIG", "SET", "requirepass", "wr0ng")
            try await eventually("the client gets in with the password that is right now") {
                (try? await client.connect()) != nil
            }
            await client.close()
        }
    }

    @Test("What a user may not do is an error of that command alone")
    func permissions() async throws {
        try await RedisServer.with(.init(lines: ["user reader on >s3cret ~a* +get +ping +client"])) { server in
            let url = try RedisURL("redis://reader:s3cret@127.0.0.1:\(server.port)")
            let connection = try await RedisConnection.connect(to: url)
            let replies = try await connection.pipeline([
                RedisCommand("GET", "a"), RedisCommand("SET", "a", 1), RedisCommand("GET", "b"),
            ])
            #expect(replies.map { $0.error?.code } == [nil, .noPermission, .noPermission])
            await connection.close()
        }
    }

    @Test("TLS works with the server's authority, and only with it", .enabled(if: RedisServer.isUsual))
    func tls() async throws {
        try await RedisServer.with(.init(transport: .tls())) { server in
            #expect(try await ping(server.url) == "PONG")
            let address = "127.0.0.1:\(server.port)"
            #expect(
                try await ping("rediss://localhost:\(server.port)?ssl_ca_certs=\(server.certificateFile)") == "PONG")
            #expect(try await ping("rediss://\(address)?ssl_cert_reqs=none") == "PONG")
            let untrusted = try await failure("rediss://\(address)")
            #expect(untrusted.code == .tls)
            #expect(untrusted.message.hasPrefix("the certificate of \(address) is not trusted: no authority"))
            #expect(!untrusted.isRetryable)
            #expect(try await failure("redis://\(address)").message.contains("rediss://"))
        }
    }

    @Test(
        "An expired certificate, and one for another name, are told as such", .enabled(if: RedisServer.isUsual),
        arguments: [
            (RedisServer.Configuration.Certificate.expired, "expired on 20"), (.ofAnother, "is for another name"),
        ])
    func badCertificate(_ certificate: RedisServer.Configuration.Certificate, _ words: String) async throws {
        try await RedisServer.with(.init(transport: .tls(certificate: certificate))) { server in
            let error = try await failure(server.url)
            #expect(error.code == .tls)
            #expect(error.message.hasPrefix("the certificate of 127.0.0.1:\(server.port) \(words)"), "\(error)")
            #expect(!"\(error)".contains(".cc:"), "\(error)")
        }
    }

    @Test("A plain port and one that says nothing are told apart, though both say nothing to TLS")
    func noTLS() async throws {
        try await RedisServer.with { server in
            let address = "127.0.0.1:\(server.port)"
            let plain = try await failure("rediss://\(address)", within: .seconds(2))
            #expect(plain.code == .tls && !plain.isRetryable)
            #expect(
                plain.message == "\(address) does not speak TLS, but answers without; the URL must start with redis://")
            server.pause()
            let deaf = try await failure("rediss://\(address)", within: .seconds(1))
            server.resume()
            #expect(deaf.code == .timedOut && deaf.isRetryable)
            #expect(deaf.message.contains("answers nothing, neither with TLS nor without"))
        }
    }

    @Test("A server that asks for a certificate gets ours", .enabled(if: RedisServer.isUsual))
    func clientCertificate() async throws {
        try await RedisServer.with(.init(transport: .tls(asksForClientCertificate: true))) { server in
            let files = "&ssl_certfile=\(server.certificateFile)&ssl_keyfile=\(server.keyFile)"
            #expect(try await ping(server.url + files) == "PONG")
            let error = try await failure(server.url)
            #expect([.tls, .closed].contains(error.code))
            if error.code == .tls { #expect(error.message.contains("asks for a certificate of ours"), "\(error)") }
        }
    }
}
