// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Messages whose time is to come", .timeLimit(.minutes(1)))
struct DelayedTests {
    let clock = ManualClock()
    let broker: MemoryBroker

    init() {
        var settings = MemorySettings()
        settings.now = { [clock] in clock.now }
        broker = MemoryBroker(settings: settings)
    }

    @Test("they wait apart, and are claimed when due, the earliest first, by turns with what waits")
    func order() async throws {
        try await broker.send("late", dueAt: clock.now + 30)
        try await broker.send("early", dueAt: clock.now + 10)
        try await broker.send("middle", "middle too", dueAt: clock.now + 20)
        try await broker.send("plain")
        try await broker.send("past", dueAt: clock.now)
        let consumer = try await broker.open()
        #expect(try await broker.report() == QueueReport(queue: "q", waiting: 2, delayed: 4, leased: 0, dead: 0))
        clock.advance(by: 9.5)
        #expect(try await broker.report()?.delayed == 4)
        clock.advance(by: 10.5)
        #expect(try await broker.report()?.delayed == 1)
        #expect(try await consumer.claim(upTo: 9).map(\.text) == ["early", "plain", "middle", "past", "middle too"])
        clock.advance(by: 100)
        #expect(try await consumer.claim(upTo: 9).map(\.text) == ["late"])
        await consumer.close()
    }

    @Test("what became due earlier stays before what becomes due later, however long both wait")
    func backlog() async throws {
        for (text, delay) in [("c", 3.0), ("a", 1), ("b", 2), ("d", 4)] {
            try await broker.send(text, dueAt: clock.now + delay)
        }
        try await broker.send("plain")
        for _ in 1...4 {
            clock.advance(by: 1)
            #expect(try await broker.report()?.queue == "q")
        }
        let consumer = try await broker.open()
        #expect(try await consumer.claim(upTo: 9).map(\.text) == ["a", "plain", "b", "c", "d"])
        await consumer.close()
    }

    @Test("a message that nobody sends or asks about wakes its consumer when it is due")
    func wakes() async throws {
        let broker = MemoryBroker()
        let consumer = try await broker.open()
        let due = Date() + 0.1
        try await broker.send("b", dueAt: due + 0.1)
        try await broker.send("a", dueAt: due)
        #expect(try await consumer.takeTexts(1) == ["a"])
        #expect(Date() >= due)
        #expect(try await consumer.takeTexts(1) == ["b"])
        #expect(Date() >= due + 0.1)
        await consumer.close()
    }

    @Test("times far away, and clocks that stand still, keep nothing busy", arguments: [1e-9, 60, 1e9, 2.5e11, 1e300])
    func farAway(_ seconds: Double) async throws {
        let looks = Recorder<Int>()
        var settings = MemorySettings()
        settings.now = { [clock] in
            looks.add(1)
            return clock.now
        }
        let broker = MemoryBroker(settings: settings)
        try await broker.send("a", dueAt: clock.now + seconds)
        // Time for thousands of looks, were there nothing to wait for.
        try await Task.sleep(for: .milliseconds(50))
        #expect(looks.count < 10)
        clock.advance(by: seconds * 2)
        #expect(try await broker.report()?.waiting == 1)
    }
}
