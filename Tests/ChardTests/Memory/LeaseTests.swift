// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Leases on the memory broker", .timeLimit(.minutes(1)))
struct LeaseTests {
    let broker = MemoryBroker()

    private func status(_ id: String, _ state: TaskState) -> StatusRecord {
        StatusRecord(TaskStatus(id: id, state: state), timeToLive: nil)
    }

    @Test("settling drops the message, stores the status and sends what follows")
    func settles() async throws {
        try await broker.send("a")
        let consumer = try await broker.open()
        let delivery = try #require(try await consumer.claim(upTo: 1).first)
        let followers = [OutgoingMessage(id: "b", queue: "other", payload: Array("b".utf8))]
        let receipts = try await consumer.settle([
            Settlement(delivery, .finished, status: status("a", .success), followers: followers)
        ])
        #expect(receipts == [.settled])
        #expect(try await broker.status(of: "a")?.state == .success)
        #expect(try await broker.report()?.leased == 0)
        #expect(try await broker.report("other")?.waiting == 1)
        await consumer.close()
        #expect(try await broker.report()?.waiting == 0)
    }

    @Test("the second time, or by somebody else, nothing is written")
    func fenced() async throws {
        try await broker.send("a", "b")
        let (owner, other) = (try await broker.open(), try await broker.open())
        let deliveries = try await owner.claim(upTo: 2)
        let foreign = deliveries.map { Settlement($0, .finished, status: status($0.text, .success)) }
        #expect(try await other.settle(foreign) == [.fenced, .fenced])
        #expect(try await broker.status(of: "a") == nil)
        #expect(try await owner.settle([foreign[1], foreign[1], foreign[0]]) == [.settled, .fenced, .settled])
        await owner.close()
        await other.close()
    }

    @Test("after the loss of its lease a consumer writes nothing at all")
    func fencedAfterLoss() async throws {
        try await broker.sendTask("a")
        let consumer = try await broker.open()
        let delivery = try #require(try await consumer.claim(upTo: 1).first)
        try await broker.loseConsumers()
        let letter = DeadLetter(
            id: "a", taskID: "a", task: "t", queue: "q", reason: .rejected, error: "", attempts: 1, worker: "n@h",
            diedAt: Date(), payload: delivery.payload)
        for fate in [Settlement.Fate.finished, .returned, .dead(letter)] {
            let settlement = Settlement(
                delivery, fate, status: status("a", .success),
                followers: [OutgoingMessage(id: "f", queue: "f", payload: [])])
            #expect(try await consumer.settle([settlement]) == [.fenced])
        }
        try await consumer.report([status("a", .started)])
        #expect(try await broker.status(of: "a") == nil)
        #expect(try await broker.deadLetters(in: nil, limit: 9).isEmpty)
        #expect(try await broker.queues().map(\.queue) == ["q"])
        #expect(try await broker.report()?.waiting == 1)
    }

    @Test("what is returned goes to the front, uncounted")
    func returned() async throws {
        for id in ["a", "b", "c"] { try await broker.sendTask(id) }
        let consumer = try await broker.open()
        let deliveries = try await consumer.claim(upTo: 2)
        _ = try await consumer.settle(deliveries.reversed().map { Settlement($0, .returned) })
        let again = try await consumer.claim(upTo: 3)
        #expect(again.map(\.message?.id) == ["a", "b", "c"])
        #expect(again.map(\.message?.losses) == [0, 0, 0])
        await consumer.close()
    }

    @Test("closing hands everything back in order, to its own queue and priority, uncounted")
    func closes() async throws {
        try await broker.send("a", "b", "c")
        try await broker.send("u", to: "other")
        try await broker.send("low", priority: 9)
        let consumer = try await broker.open(["q", "other"])
        let claimed = try await consumer.claim(upTo: 10)
        #expect(claimed.count == 5)
        _ = try await consumer.settle(claimed.filter { $0.text == "b" }.map { Settlement($0, .finished) })
        try await broker.send("d")
        await consumer.close()
        let next = try await broker.open()
        #expect(try await next.claim(upTo: 10).map(\.text) == ["a", "c", "d", "low"])
        #expect(try await broker.report("other")?.waiting == 1)
        await next.close()
    }

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

    @Test("whoever waits is woken for what a lost process held")
    func lossWakes() async throws {
        try await broker.sendTask("a")
        let waiting = try await broker.open()
        let losing = try await broker.open()
        #expect(try await losing.claim(upTo: 1).count == 1)
        async let claimed = waiting.claim(upTo: 1)
        broker.change { state, now in state.end(losing.identity, isLost: true, now: now) }
        #expect(try await claimed.first?.message?.losses == 1)
        await waiting.close()
    }

    @Test("the third loss is the last: a dead letter with its story, and a failure under its id")
    func thirdLoss() async throws {
        try await broker.sendTask("a")
        for losses in 1...2 {
            try await claimAndVanish(1)
            #expect(try await broker.deadLetters(in: nil, limit: 9).isEmpty, "after \(losses)")
        }
        try await claimAndVanish(1)
        #expect(try await broker.report()?.waiting == 0)
        let letter = try #require(try await broker.deadLetter("a"))
        #expect(letter.reason == .workerLost && letter.worker == "lost@h" && letter.attempts == 1)
        #expect(letter.task == "t" && letter.taskID == "a" && letter.queue == "q")
        let status = try #require(try await broker.status(of: "a"))
        #expect(status.state == .failure)
        #expect(status.error?.type == "WorkerLost")
        #expect(status.error?.message.contains("3 times") == true)
        #expect(status.dateDone != nil)
    }

    @Test("a last chance that was not taken is not counted: an innocent task is not put aside with a guilty one")
    func innocent() async throws {
        try await broker.sendTask("guilty")
        try await broker.sendTask("innocent")
        for _ in 1...2 { try await claimAndVanish(2) }
        try await claimAndVanish(2, noting: ["guilty"])
        #expect(try await broker.deadLetters(in: nil, limit: 9).map(\.id) == ["guilty"])
        let next = try await broker.open()
        #expect(try await next.claim(upTo: 1).first?.message?.losses == 2)
        await next.close()
    }

    @Test("no failure is stored for a task whose result nobody wants")
    func ignoredLoss() async throws {
        try await broker.sendTask("a", ignoresResult: true)
        for _ in 1...3 { try await claimAndVanish(1) }
        #expect(try await broker.deadLetter("a") != nil)
        #expect(try await broker.status(of: "a") == nil)
    }

    @Test("what no loss can be counted in is put aside at once")
    func unreadableLoss() async throws {
        try await broker.send("nonsense")
        try await claimAndVanish(1)
        let letter = try #require(try await broker.deadLetters(in: nil, limit: 9).first)
        #expect(letter.reason == .malformed && letter.payload.text == "nonsense" && !letter.id.isEmpty)
    }

    /// A process that claims and is lost, after it noted some of what it held as started on their last chance.
    private func claimAndVanish(_ count: Int, noting: [String]? = nil) async throws {
        let consumer = try await broker.open(node: "lost@h")
        let deliveries = try await consumer.claim(upTo: count)
        #expect(deliveries.count == count)
        for id in noting ?? deliveries.compactMap(\.message?.id) {
            try await consumer.noteLastChance(of: id)
        }
    }
}
