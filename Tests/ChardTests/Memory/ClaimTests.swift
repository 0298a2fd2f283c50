// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Claims on the memory broker", .timeLimit(.minutes(1)))
struct ClaimTests {
    let broker = MemoryBroker()

    @Test("queues in turn, and the turn goes on with the next claim")
    func turns() async throws {
        try await broker.send("a1", "a2", "a3", "a4", to: "a")
        try await broker.send("b1", "b2", to: "b")
        try await broker.send("c1", "c2", "c3", to: "c")
        let consumer = try await broker.open(["a", "b", "c"])
        #expect(try await consumer.takeTexts(2) == ["a1", "b1"])
        #expect(try await consumer.takeTexts(2) == ["c1", "a2"])
        #expect(try await consumer.claim(upTo: 10).map(\.text) == ["b2", "c2", "a3", "c3", "a4"])
        await consumer.close()
    }
}
