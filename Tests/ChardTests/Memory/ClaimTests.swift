// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Claims on the memory broker", .timeLimit(.minutes(1)))
struct ClaimTests {
    let broker = MemoryBroker()

    @Test("first come, first served; no more than asked for")
    func order() async throws {
        try await broker.send("a", "b", "c")
        try await broker.send("d")
        let consumer = try await broker.open()
        #expect(try await consumer.claim(upTo: 3).map(\.text) == ["a", "b", "c"])
        #expect(try await consumer.claim(upTo: 3).map(\.text) == ["d"])
        await consumer.close()
    }

    @Test("priorities in four steps, the urgent ones first, values outside clamped")
    func priorities() async throws {
        for (text, priority) in [("9", 9), ("8", 8), ("3", 3), ("5", 5), ("0", 0), ("2", 2), ("-4", -4), ("77", 77)] {
            try await broker.send(text, priority: priority)
        }
        let consumer = try await broker.open()
        #expect(try await consumer.claim(upTo: 10).map(\.text) == ["0", "2", "-4", "3", "5", "8", "9", "77"])
        await consumer.close()
    }

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

    @Test("an urgent message goes before the turn of its queue")
    func urgentBeforeTurn() async throws {
        try await broker.send("a1", "a2", to: "a", priority: 3)
        try await broker.send("b1", to: "b", priority: 0)
        let consumer = try await broker.open(["a", "b"])
        #expect(try await consumer.claim(upTo: 3).map(\.text) == ["b1", "a1", "a2"])
        await consumer.close()
    }

    @Test("each message goes to one consumer, from its own queues only")
    func exclusive() async throws {
        try await broker.send("a", "b", "c", "d")
        try await broker.send("x", to: "other")
        let (first, second) = (try await broker.open(), try await broker.open())
        #expect(try await first.claim(upTo: 2).map(\.text) == ["a", "b"])
        #expect(try await second.claim(upTo: 9).map(\.text) == ["c", "d"])
        #expect(try await broker.report() == QueueReport(queue: "q", waiting: 0, scheduled: 0, leased: 4, dead: 0))
        #expect(try await broker.report("other")?.waiting == 1)
        await first.close()
        await second.close()
    }

    @Test("a claim waits until there is something")
    func waits() async throws {
        let consumer = try await broker.open()
        async let claimed = consumer.claim(upTo: 5)
        try await broker.send("a")
        #expect(try await claimed.map(\.text) == ["a"])
        await consumer.close()
    }

    @Test("waking and cancelling end a claim with nothing, and lose nothing")
    func wakes() async throws {
        let consumer = try await broker.open()
        async let woken = consumer.claim(upTo: 5)
        consumer.wake()
        #expect(try await woken.isEmpty)
        let waiting = Task { try await consumer.claim(upTo: 5) }
        waiting.cancel()
        #expect(try await waiting.value.isEmpty)
        try await broker.send("a")
        #expect(try await consumer.claim(upTo: 5).map(\.text) == ["a"])
        await consumer.close()
    }

    @Test("a closed consumer is of no use, and says so")
    func closed() async throws {
        let consumer = try await broker.open()
        async let lost: Void = consumer.leaseLost()
        let waiting = Task { try await consumer.claim(upTo: 1) }
        await consumer.close()
        await lost
        for claim in [waiting, Task { try await consumer.claim(upTo: 1) }] {
            let error = await thrown(BrokerError.self) { try await claim.value }
            #expect(error?.code == .leaseLost)
        }
    }

    @Test("identities are fresh each time")
    func identities() async throws {
        let consumers = [try await broker.open(), try await broker.open()]
        #expect(Set(consumers.map(\.identity)).count == 2)
        #expect(consumers.allSatisfy { $0.identity.hasPrefix("n@h/") && $0.clockOffset == 0 })
        #expect(try await broker.workers().map(\.node) == ["n@h", "n@h"])
        for consumer in consumers { await consumer.close() }
        #expect(try await broker.workers().isEmpty)
    }

    @Test("drained is who finds nothing waiting in its own queues")
    func drained() async throws {
        let consumer = try await broker.open()
        try await broker.send("x", to: "other")
        #expect(try await consumer.isDrained())
        try await broker.send("a", priority: 9)
        #expect(try await !consumer.isDrained())
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
