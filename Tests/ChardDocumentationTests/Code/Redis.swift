// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file

import Chard
import ChardRedis
import FoundationEssentials

private enum Redis {
    struct Token {
        var text: String
        var lapse: Date
    }

    static func freshToken() async throws -> Token { Token(text: "", lapse: Date()) }

    static func durable(_ app: Chard, _ charge: TaskHandle<Void, Int>, order: Int) async throws {
        try await charge.enqueue(order, durability: .replicas(1))
        try await app.send("charge", Arguments([17]), options: EnqueueOptions(durability: .replicas(2, within: .seconds(3))))
    }

    static func tokens() async throws {
        let broker = RedisBroker(
            try RedisURL("rediss://tasks.example.com:6379/0"),
            credentials: {
                let token = try await freshToken()
                return RedisCredentials(username: "worker", password: token.text, lapse: token.lapse)
            })
        try await broker.connect()
    }
}
