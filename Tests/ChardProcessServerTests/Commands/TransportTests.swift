// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import TestServers
import Testing

@Suite("Programs over a Unix socket, TLS, passwords and key prefixes", .timeLimit(.minutes(2)))
struct TransportTests {
    static let configurations: [RedisServer.Configuration] = [
        .init(transport: .unixSocket), .init(transport: .unixSocket, password: "p@ss/w:rd"), .init(transport: .tls()),
        .init(transport: .tls(asksForClientCertificate: true), password: "secret"),
    ]

    @Test("a task there and back", arguments: configurations)
    func thereAndBack(_ configuration: RedisServer.Configuration) async throws {
        try await RedisServer.with(configuration) { server in
            let environment = ["CHARD_BROKER_URL": url(of: server)]
            let worker = try Program("interop", ["worker", "-c", "2"], environment: environment)
            try await worker.says("is ready")
            let sent = try await CommandRun(
                Program("chard", ["send", "interop.add", "--args", "[2, 3]", "--wait", "10"], environment: environment))
            #expect(sent.status == 0 && sent.lines.last == "5", "\(sent)")
            let workers = try await CommandRun(Program("chard", ["workers", "--json"], environment: environment))
            #expect(try workers.json[0]?["pid"] == .integer(Int(worker.id)))
            worker.signal(15)
            #expect(try await worker.finished() == 0)
            if let password = configuration.password { #expect(!worker.talk.contains(password)) }
        }
    }

    @Test("a certificate that nobody trusts: 4, with what to do")
    func untrusted() async throws {
        try await RedisServer.with(RedisServer.Configuration(transport: .tls())) { server in
            let refused = try await CommandRun(
                Program("chard", ["queues", "--broker", "rediss://127.0.0.1:\(server.port)/0"]))
            #expect(refused.status == 4 && refused.isOneLine && refused.talk.contains("certificate"), "\(refused)")
            let careless = try await CommandRun(
                Program("chard", ["queues", "--broker", "rediss://127.0.0.1:\(server.port)/0?ssl_cert_reqs=none"]))
            #expect(careless.status == 0, "\(careless)")
            let plain = try await CommandRun(
                Program("chard", ["queues", "--broker", "redis://127.0.0.1:\(server.port)/0"]))
            #expect(plain.status == 4 && plain.isOneLine, "\(plain)")
        }
    }

    @Test("a key prefix and another database: worlds apart")
    func apart() async throws {
        try await ProcessBench.with { bench in
            let prefix = ["--key-prefix", "shop:", "--broker", bench.server.url(database: 3)]
            let worker = try Program("interop", ["worker"] + prefix)
            try await worker.says("is ready")
            let here = try await CommandRun(
                Program("chard", ["send", "interop.add", "--args", "[2, 3]", "--wait", "10"] + prefix))
            #expect(here.status == 0 && here.lines.last == "5", "\(here)")
            #expect(try await bench.chard("workers", "--json").json == [])
            #expect(try await bench.keys("*").isEmpty)
            let keys = try await bench.server.cli("-n", "3", "KEYS", "*").split(separator: "\n")
            #expect(!keys.isEmpty && keys.allSatisfy { $0.hasPrefix("shop:") }, "\(keys)")
            worker.signal(15)
            #expect(try await worker.finished() == 0)
        }
    }

    private func url(of server: RedisServer) -> String {
        let url = server.url.replacing("p@ss/w:rd", with: "p%40ss%2Fw%3Ard")
        guard case .tls(true, _) = server.configuration.transport else { return url }
        return url + "&ssl_certfile=\(server.certificateFile)&ssl_keyfile=\(server.keyFile)"
    }
}
