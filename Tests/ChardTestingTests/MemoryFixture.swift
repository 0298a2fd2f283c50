// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardTesting
import Foundation

/// A memory broker whose time passes at once.
struct MemoryFixture: BrokerFixture {
    let clock = ManualClock()
    let broker: MemoryBroker
    let recovery = Duration.seconds(12)
    let moment = Duration.seconds(1)

    init() {
        broker = MemoryBroker(settings: .on(clock))
    }

    var now: Date { clock.now }

    func open() async throws -> any Broker { broker }

    func silence(_ consumer: any Consumer) async throws {
        broker.silence(consumer.identity)
    }

    func pass(_ duration: Duration) async throws {
        clock.advance(by: duration)
    }
}
