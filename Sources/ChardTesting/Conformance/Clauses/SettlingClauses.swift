// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension BrokerClause {
    static let settling: [BrokerClause] = [
        BrokerClause("finished", "A finished message leaves the broker for good.") { trial in
            let consumer = try await trial.consumer()
            try await trial.send("a", "b", by: try await trial.broker())
            let deliveries = try await trial.take(consumer, 2)
            try await trial.finish([deliveries[0]], by: consumer)
            await consumer.close()
            try await trial.expectWaiting(["b"])
        },

        BrokerClause(
            "one step",
            "With the message's end its status is stored and what follows is sent, to its queue and priority."
        ) { trial in
            let broker = try await trial.broker()
            let consumer = try await trial.consumer()
            try await trial.send("a", by: broker)
            let delivery = try await trial.take(consumer, 1)[0]
            let followers = [
                OutgoingMessage(id: "last", queue: "next", priority: 9, payload: Array("last".utf8)),
                OutgoingMessage(id: "first", queue: "next", payload: Array("first".utf8)),
                OutgoingMessage(id: "second", queue: "next", payload: Array("second".utf8)),
                OutgoingMessage(
                    id: "later", queue: "next", dueAt: trial.fixture.now + 3_600, payload: Array("later".utf8)),
            ]
            var effects: Effects = [.store(trial.status("a", .success, 7))]
            for follower in followers { effects.append(.push(follower)) }
            let settlement = Settlement(delivery, effects)
            try await trial.settle([settlement], by: consumer)
            let status = try await broker.status(of: "a")
            try trial.equal(status?.state, .success, "the state stored")
            try trial.equal(status?.result, 7, "the result stored")
            await consumer.close()
            try await trial.expectWaiting(["first", "second", "last"], in: "next")
            try await trial.expectNothing()
        },

        BrokerClause("many at once", "Settlements are answered in the order in which they were given.") { trial in
            let broker = try await trial.broker()
            let consumer = try await trial.consumer()
            let texts = (0..<200).map { "\($0)" }
            try await broker.send(texts.map { OutgoingMessage(id: $0, queue: "q", payload: Array($0.utf8)) })
            let deliveries = try await trial.take(consumer, 200)
            let even = deliveries.filter { (Int($0.text) ?? 0).isMultiple(of: 2) }
            try await trial.finish(even, by: consumer)
            let settlements = deliveries.map { delivery in
                Settlement(delivery, [.store(trial.status(delivery.text, .success, .string(delivery.text)))])
            }
            let receipts = try await consumer.settle(settlements)
            let expected = texts.indices.map { $0.isMultiple(of: 2) ? Receipt.fenced : .settled }
            try trial.equal(receipts, expected, "the receipts of those settled before, and of those not, by turns")
            for text in ["1", "77", "199"] {
                let status = try await broker.status(of: text)
                try trial.equal(status?.result, .string(text), "the result of \(text)")
            }
            let status = try await broker.status(of: "2")
            try trial.hold(status == nil, "a fenced settlement stores no status")
            let none = try await consumer.settle([])
            try trial.equal(none, [], "the receipts of no settlements")
        },

        BrokerClause("returned", "A message that is returned goes to the front of its queue, uncounted.") { trial in
            let broker = try await trial.broker()
            let consumer = try await trial.consumer()
            try await broker.send(["a", "b", "c"].map { trial.task($0) })
            let deliveries = try await trial.take(consumer, 2)
            try await trial.settle(deliveries.reversed().map { .handingBack($0) }, by: consumer)
            let again = try await trial.take(consumer, 3)
            try trial.equal(again.map(\.text), ["a", "b", "c"], "the order after the newest was returned first")
            try trial.equal(again.map(\.message?.losses), [0, 0, 0], "the losses counted")
            try trial.equal(again.map(\.message?.isRedelivered), [false, false, false], "the marks of redelivery")
            try await trial.finish(again, by: consumer)
        },

        BrokerClause("returned by priority", "What is returned keeps its queue and its priority.") { trial in
            let broker = try await trial.broker()
            let consumer = try await trial.consumer(["q", "r"])
            try await trial.send("low", priority: 9, by: broker)
            try await trial.send("other", to: "r", priority: 5, by: broker)
            let deliveries = try await trial.take(consumer, 2)
            try await trial.settle(deliveries.map { .handingBack($0) }, by: consumer)
            try await trial.send("urgent", by: broker)
            try await trial.expectWaiting(["urgent", "low"])
            try await trial.expectWaiting(["other"], in: "r")
        },

        BrokerClause("settled twice", "What was settled is not settled again: the second time is fenced.") { trial in
            let broker = try await trial.broker()
            let consumer = try await trial.consumer()
            try await trial.send("a", by: broker)
            let delivery = try await trial.take(consumer, 1)[0]
            let first = Settlement(delivery, [.store(trial.status("a", .failure))])
            try await trial.settle([first], by: consumer)
            try await trial.settleInVain(trial.everyFate(of: delivery), by: consumer)
            try await trial.expectNoTrace(besides: .failure)
            let twice = try await consumer.settle([first, first])
            try trial.equal(twice, [.fenced, .fenced], "the receipts of the third and the fourth time")
        },

        BrokerClause("settled by somebody else", "Only who holds a message settles it: others are fenced.") { trial in
            let broker = try await trial.broker()
            let owner = try await trial.consumer()
            let other = try await trial.consumer()
            try await trial.send("a", by: broker)
            let delivery = try await trial.take(owner, 1)[0]
            try await trial.settleInVain(trial.everyFate(of: delivery), by: other)
            try await trial.expectNoTrace()
            try await trial.finish([delivery], by: owner)
        },

        BrokerClause(
            "settled too late",
            "After the loss of its lease a consumer writes nothing: no status, follower or dead letter."
        ) { trial in
            let broker = try await trial.broker()
            let lost = try await trial.consumer()
            let next = try await trial.consumer()
            try await broker.send([trial.task("a")])
            let delivery = try await trial.take(lost, 1)[0]
            try await trial.silence(lost)
            let again = try await trial.takeRecovered(next, 1)
            try await trial.settleInVain(trial.everyFate(of: delivery), by: lost)
            try await trial.expectNoTrace()
            do {
                try await lost.report([trial.status("a", .started)])
            } catch let error as BrokerError where error.code == .leaseLost {}
            let status = try await broker.status(of: "a")
            try trial.hold(status == nil, "a report without a lease stores nothing")
            try await trial.settle(
                [Settlement(again[0], [.store(trial.status("a", .success))])], by: next)
            let final = try await broker.status(of: "a")
            try trial.equal(final?.state, .success, "the state that the new owner stored")
            try await trial.expectNothing()
        },

        BrokerClause("put aside", "A dead message leaves its queue, and its status and what follows are written.") {
            trial in
            let broker = try await trial.broker()
            let consumer = try await trial.consumer()
            try await trial.send("a", by: broker)
            let delivery = try await trial.take(consumer, 1)[0]
            let settlement = Settlement(
                delivery,
                [
                    .bury(trial.letter("a", of: delivery)), .store(trial.status("a", .failure)),
                    .push(OutgoingMessage(id: "f", queue: "next", payload: Array("f".utf8))),
                ])
            try await trial.settle([settlement], by: consumer)
            let status = try await broker.status(of: "a")
            try trial.equal(status?.state, .failure, "the state stored")
            await consumer.close()
            try await trial.expectNothing()
            try await trial.expectWaiting(["f"], in: "next")
        },
    ]
}

extension Trial {
    /// A settlement for each fate of a message, with all that can be written beside it.
    fileprivate func everyFate(of delivery: Delivery) -> [Settlement] {
        [nil, .putBack(as: nil), .bury(letter("a", of: delivery))].map { (fate: Effect?) in
            var effects: Effects = [
                .store(status("a", .success)),
                .push(OutgoingMessage(id: "f", queue: "next", payload: Array("f".utf8))),
            ]
            if let fate { effects.append(fate) }
            return Settlement(delivery, effects)
        }
    }

    /// Expects that nothing of ``everyFate(of:)`` was written.
    fileprivate func expectNoTrace(besides state: TaskState? = nil) async throws {
        let broker = try await broker()
        let stored = try await broker.status(of: "a")
        try equal(stored?.state, state, "the state stored after a fenced settlement")
        try await expectNothing(in: "next")
        try await expectNothing()
        if let broker = broker.power(.inspection) {
            let letters = try await broker.deadLetters(in: nil, limit: 9)
            try equal(letters.map(\.id), [], "the dead letters after a fenced settlement")
        }
    }
}
