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

    @Test("a line may be joined at both ends")
    func line() {
        var line = WaitingLine<String>()
        #expect(line.isEmpty && line.next == nil && line.popNext() == nil)
        for text in ["c", "d", "e"] { line.append(text) }
        line.prepend("b")
        line.prepend("a")
        #expect(line.count == 5 && line.next == "a")
        #expect(line.popNext() == "a")
        line.append("f")
        #expect(line.popNext() == "b")
        #expect(line.next == "c")
        line.prepend("z")
        var rest: [String] = []
        while let next = line.popNext() { rest.append(next) }
        #expect(rest == ["z", "c", "d", "e", "f"] && line.isEmpty)
    }
}
