// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Dead letters and tidying on the memory broker", .timeLimit(.minutes(1)))
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
    private func bury(_ id: String, queue: String = "q", payload: [UInt8]? = nil) async throws {
        let payload = payload ?? TaskMessage(task: "t", id: id, body: MessageBody(), queue: queue).encoded()
        try await broker.send([OutgoingMessage(id: id, queue: queue, payload: payload)])
        let consumer = try await broker.open([queue])
        let delivery = try #require(try await consumer.claim(upTo: 1).first)
        let letter = DeadLetter(
            id: id, taskID: id.isEmpty ? nil : id, task: "t", queue: queue, reason: .rejected, error: "no", attempts: 1,
            worker: "n@h", diedAt: clock.now, payload: delivery.payload)
        #expect(try await consumer.settle([Settlement(delivery, .dead(letter))]) == [.settled])
        await consumer.close()
    }

    @Test("newest first, of one queue or all, as many as asked for")
    func lists() async throws {
        try await bury("a")
        try await bury("b", queue: "other")
        try await bury("c")
        #expect(try await broker.deadLetters(in: nil, limit: 9).map(\.id) == ["c", "b", "a"])
        #expect(try await broker.deadLetters(in: "q", limit: 9).map(\.id) == ["c", "a"])
        #expect(try await broker.deadLetters(in: nil, limit: 2).map(\.id) == ["c", "b"])
        #expect(try await broker.deadLetter("b")?.queue == "other")
        #expect(try await broker.deadLetter("z") == nil)
        #expect(try await broker.report()?.dead == 2)
    }

    @Test("no two have the same name, and none goes without")
    func names() async throws {
        try await bury("a")
        try await bury("a")
        try await bury("", payload: Array("x".utf8))
        let letters = try await broker.deadLetters(in: nil, limit: 9)
        #expect(Set(letters.map(\.id)).count == 3)
        #expect(letters.allSatisfy { !$0.id.isEmpty })
        #expect(letters.map(\.taskID) == [nil, "a", "a"])
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

    @Test("requeued, the message waits again in its queue, its losses forgotten, once")
    func requeue() async throws {
        let message = TaskMessage(task: "t", id: "a", body: MessageBody(), queue: "q").redelivered(losses: 2)
        try await bury("a", payload: message.encoded())
        #expect(try await broker.requeueDeadLetter("a"))
        #expect(try await !broker.requeueDeadLetter("a"))
        #expect(try await broker.report() == QueueReport(queue: "q", waiting: 1, scheduled: 0, leased: 0, dead: 0))
        let consumer = try await broker.open()
        let delivery = try #require(try await consumer.claim(upTo: 1).first)
        #expect(delivery.message?.id == "a" && delivery.message?.losses == 0)
        await consumer.close()
    }

    @Test("bytes that are no message are requeued as they were")
    func requeueRaw() async throws {
        try await bury("a", payload: Array("nonsense".utf8))
        #expect(try await broker.requeueDeadLetter("a"))
        let consumer = try await broker.open()
        #expect(try await consumer.claim(upTo: 1).map(\.text) == ["nonsense"])
        await consumer.close()
    }

    @Test("dropped, it is gone")
    func drop() async throws {
        try await bury("a")
        #expect(try await broker.dropDeadLetter("a"))
        #expect(try await !broker.dropDeadLetter("a"))
        #expect(try await broker.report()?.dead == 0)
        #expect(try await broker.report()?.waiting == 0)
    }

    @Test("purging empties the line, with the scheduled on demand, and leaves what is leased")
    func purge() async throws {
        try await broker.send("a", "b", "c")
        try await broker.send("low", priority: 9)
        try await broker.send("later", dueAt: clock.now + 60)
        try await broker.send("x", to: "other")
        let consumer = try await broker.open()
        #expect(try await consumer.claim(upTo: 1).map(\.text) == ["a"])
        #expect(try await broker.purge("q", scheduled: false) == 3)
        #expect(try await broker.report() == QueueReport(queue: "q", waiting: 0, scheduled: 1, leased: 1, dead: 0))
        #expect(try await broker.purge("q", scheduled: true) == 1)
        #expect(try await broker.purge("q", scheduled: true) == 0)
        #expect(try await broker.report("other")?.waiting == 1)
        await consumer.close()
        #expect(try await broker.report()?.waiting == 1)
    }

    @Test("a report says how long the next message has existed, where the message tells")
    func oldest() async throws {
        var message = TaskMessage(task: "t", id: "a", body: MessageBody(), queue: "q")
        try await broker.send([OutgoingMessage(id: "a", queue: "q", payload: message.encoded())])
        #expect(try await broker.report()?.oldestWait == nil)
        message.properties.extra["timestamp"] = .integer(Int(clock.now.timeIntervalSince1970))
        try await broker.send([OutgoingMessage(id: "a", queue: "r", payload: message.encoded())])
        clock.advance(by: 7)
        #expect(try await broker.report("r")?.oldestWait == 7)
    }
}
