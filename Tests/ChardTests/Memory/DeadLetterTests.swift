// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Dead letters on the memory broker", .timeLimit(.minutes(1)))
struct DeadLetterTests {
    let clock = ManualClock()
    let broker: MemoryBroker

    init() {
        var settings = MemorySettings()
        settings.now = { [clock] in clock.now }
        settings.deadLetterLimit = 5
        settings.deadLetterTimeToLive = .seconds(100)
        broker = MemoryBroker(settings: settings)
    }

    /// Puts a message aside as a worker does.
    private func bury(_ id: String) async throws {
        try await broker.sendTask(id)
        let consumer = try await broker.open()
        let delivery = try #require(try await consumer.claim(upTo: 1).first)
        let letter = DeadLetter(
            id: id, taskID: id, task: "t", queue: "q", reason: .rejected, error: "no", attempts: 1, worker: "n@h",
            diedAt: clock.now, payload: delivery.payload)
        #expect(try await consumer.settle([Settlement(delivery, [.bury(letter)])]).map(\.end) == [.settled])
        await consumer.close()
    }

    @Test("the oldest make room beyond the limit, and go when their time is over")
    func bounded() async throws {
        for number in 0..<8 {
            try await bury("\(number)")
            clock.advance(by: 10)
        }
        #expect(try await broker.deadLetters(in: nil, limit: 99).map(\.id) == ["7", "6", "5", "4", "3"])
        clock.advance(by: 55)
        #expect(try await broker.deadLetters(in: nil, limit: 99).map(\.id) == ["7", "6", "5", "4"])
        clock.advance(by: 1000)
        #expect(try await broker.deadLetter("7") == nil)
        #expect(try await !broker.requeueDeadLetter("7"))
        #expect(try await broker.report()?.dead == 0)
    }
}
