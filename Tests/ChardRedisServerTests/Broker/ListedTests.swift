// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Foundation
import TestServers
import Testing

@testable import ChardRedis

@Suite("Which queues are listed", .timeLimit(.minutes(2)))
struct ListedTests {
    @Test("a queue that nobody has used for long: while there is anything in it, also for who may only look")
    func unused() async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker()
            try await broker.send([OutgoingMessage(id: "1", queue: "kept", payload: Array("{}".utf8))])
            for queue in ["kept", "gone"] {
                _ = try await broker.client.send(RedisCommand("ZADD", "chard:queues", 1, queue))
            }
            #expect(try await broker.queueNames() == ["kept"])
            #expect(try await broker.queues().map(\.waiting) == [1])

            let rules = ["on", ">pw", "resetchannels", "+@read", "+@connection", "%R~*"]
            #expect(try await bench.server.cli(["ACL", "SETUSER", "reader"] + rules).hasPrefix("OK"))
            let reader = RedisBroker(try RedisURL("redis://reader:pw@127.0.0.1:\(bench.server.port)/0"))
            #expect(try await reader.queueNames() == ["kept"])
            #expect(try await reader.queues().map(\.waiting) == [1])
            await reader.shutdown()

            #expect(try await broker.client.send(RedisCommand("ZCARD", "chard:queues")).integer == 2, "nobody writes")
            let consumer = try await bench.consumer(["celery"])
            try await eventually("who is on duty forgets the empty one", within: .seconds(10)) {
                try await broker.client.send(RedisCommand("ZSCORE", "chard:queues", "gone")).isNull
            }
            #expect(try await !broker.client.send(RedisCommand("ZSCORE", "chard:queues", "kept")).isNull)
            await consumer.close()
            await broker.shutdown()
        }
    }
}
