// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import TestServers

@testable import ChardRedis

/// Asks all sentinels of a setup every few milliseconds, to know when one of them names a new primary.
final class SentinelWatch: Sendable {
    private let connections: [RedisConnection]

    static func begin(_ setup: SentinelSetup) async throws -> SentinelWatch {
        var connections: [RedisConnection] = []
        for port in setup.ports {
            connections.append(try await RedisConnection.connect(to: RedisURL("redis://127.0.0.1:\(port)")))
        }
        return SentinelWatch(connections)
    }

    private init(_ connections: [RedisConnection]) {
        self.connections = connections
    }

    /// When the first of them named a server with this port.
    func waitForName(of port: Int) async throws -> ContinuousClock.Instant {
        try await eventually("a sentinel names the server at port \(port)") {
            for connection in connections {
                let reply = try await connection.send(
                    RedisCommand("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster"))
                if reply.array?.last?.text == "\(port)" { return true }
            }
            return false
        }
        return .now
    }
}
