// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TestServers
import Testing

@testable import ChardRedis

@Suite("What is left when all is closed")
struct LeakTests {
    @Test("No reader of replies outlives its connection")
    func readers() async {
        // In a process of its own, where no other test's connections are counted.
        await #expect(processExitsWith: .success) {
            let server = try await RedisServer.start()
            let url = try RedisURL(server.url)
            var options = RedisOptions()
            options.readTimeout = .milliseconds(200)
            for _ in 0..<10 {
                let connection = try await RedisConnection.connect(to: url, options: options)
                _ = try await connection.send(RedisCommand("PING"))
                await connection.close()
                _ = try await RedisConnection.connect(to: url).send(RedisCommand("PING"))
                let waiting = Task { [connection = try await RedisConnection.connect(to: url)] in
                    try await connection.send(RedisCommand("BLPOP", "a", 10), blockFor: .seconds(10))
                }
                waiting.cancel()
                _ = await waiting.result
                _ = try? await RedisConnection.connect(to: RedisURL(server.url(database: 99)))
            }
            let client = RedisClient(url: url, options: options)
            let subscriber = RedisSubscriber(url: url, options: options)
            try await client.connect()
            let subscription = try await subscriber.subscribe(to: "a", onMessage: { _ in })
            #expect(ReplyReader.living.load(ordering: .relaxed) >= 2)
            try await server.restart()
            try await client.connect()
            subscription.cancel()
            await client.close()
            await subscriber.close()
            try await eventually("no reader is left") { ReplyReader.living.load(ordering: .relaxed) == 0 }
            await server.stop()
        }
    }
}
