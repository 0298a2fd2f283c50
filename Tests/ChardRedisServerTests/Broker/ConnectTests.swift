// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import TestServers
import Testing

@testable import ChardRedis

@Suite("A broker's first connection", .timeLimit(.minutes(1)))
struct ConnectTests {
    private func received(_ info: String) -> Int? {
        let name = "total_connections_received:"
        return info.split(whereSeparator: \.isNewline).first { $0.hasPrefix(name) }.flatMap {
            Int($0.dropFirst(name.count))
        }
    }

    @Test(
        "that was opened to find out whether the server answers is the one that is used, and is opened anew when it is lost"
    )
    func adopted() async throws {
        try await RedisServer.with(.init(isPersistent: true)) { server in
            let broker = RedisBroker(try RedisURL(server.url))
            let before = try #require(received(try await server.cli("INFO", "stats")))
            try await broker.connect()
            try await broker.connect()
            #expect(try await broker.status(of: "x") == nil)
            let info = try await broker.client.send(RedisCommand("INFO", "stats")).text
            #expect(received(info ?? "") == before + 1)

            await server.kill()
            await #expect(throws: BrokerError.self) { try await broker.connect() }
            try await server.restart()
            try await broker.connect()
            #expect(try await broker.status(of: "x") == nil)
            await broker.shutdown()
            // Closed for good: a connection that is opened for trial is not kept.
            await #expect(throws: BrokerError.self) { try await broker.connect() }
        }
    }
}
