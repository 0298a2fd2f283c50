// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Leases on the memory broker", .timeLimit(.minutes(1)))
struct LeaseTests {
    let broker = MemoryBroker()

    @Test("a consumer that goes away without closing is a lost process: its messages come back in order, counted")
    func lost() async throws {
        for id in ["a", "b", "c"] { try await broker.sendTask(id) }
        try await claimAndVanish(2)
        let next = try await broker.open()
        let deliveries = try await next.claim(upTo: 3)
        #expect(deliveries.map(\.message?.id) == ["a", "b", "c"])
        #expect(deliveries.map(\.message?.losses) == [1, 1, 0])
        #expect(deliveries.map(\.message?.isRedelivered) == [true, true, false])
        #expect(deliveries.map(\.message?.retries) == [0, 0, 0])
        await next.close()
    }

    /// Claims, and lets go of the consumer.
    private func claimAndVanish(_ count: Int) async throws {
        let consumer = try await broker.open()
        #expect(try await consumer.claim(upTo: count).count == count)
    }
}
