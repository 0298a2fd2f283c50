// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardTesting
import FoundationEssentials
import TestServers

@testable import ChardRedis

/// A server whose time passes as it does, with a lease that is short to wait for.
struct RedisFixture: BrokerFixture {
    let server: RedisServer
    var prefix = ""
    let recovery = Duration.seconds(7)
    let moment = Duration.seconds(1)

    var now: Date { Date() }

    func open() async throws -> any Broker {
        var settings = BrokerBench.quick
        settings.keyPrefix = prefix
        return RedisBroker(try RedisURL(server.url), settings: settings)
    }

    func silence(_ consumer: any Consumer) async throws {
        guard let consumer = consumer as? RedisConsumer else { throw TestServerError("no Redis consumer") }
        await consumer.fallSilent()
    }

    func pass(_ duration: Duration) async throws {
        try await Task.sleep(for: duration)
    }
}
