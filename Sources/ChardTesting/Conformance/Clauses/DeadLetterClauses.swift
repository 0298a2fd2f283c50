// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension BrokerClause {
    static let deadLetters: [BrokerClause] = [
        BrokerClause(
            "dead letters are listed", "Dead letters are shown newest first, of one queue or all, up to a limit."
        ) {
            trial in
            let broker = try await trial.broker(with: (any InspectableBroker).self)
            for (id, queue) in [("a", "q"), ("b", "other"), ("c", "q")] {
                try await trial.bury(id, queue: queue)
                // Letters may be dated by the second.
                try await trial.fixture.pass(.milliseconds(1_100))
            }
            let all = try await broker.deadLetters(in: nil, limit: 9)
            try trial.equal(all.map(\.id), ["c", "b", "a"], "all of them")
            let some = try await broker.deadLetters(in: "q", limit: 9)
            try trial.equal(some.map(\.id), ["c", "a"], "those of one queue")
            let few = try await broker.deadLetters(in: nil, limit: 2)
            try trial.equal(few.map(\.id), ["c", "b"], "the two newest")
            for (queue, letters) in [(nil, few), ("q", Array(some.prefix(2)))] {
                let summaries = try await broker.deadLetterSummaries(in: queue, limit: 2)
                try trial.equal(summaries, letters.map { DeadLetterSummary($0) }, "the same without their messages")
            }
        },

        BrokerClause(
            "a dead letter keeps its story", "A dead letter is kept with its raw message and all that was said of it."
        ) {
            trial in
            let broker = try await trial.broker(with: (any InspectableBroker).self)
            let payload: [UInt8] = [0, 0xFF] + Array("{\"käse\": 🧀".utf8) + [0xC0]
            try await trial.bury("a", payload: payload)
            let letter = try trial.unwrap(try await broker.deadLetter("a"), "the dead letter")
            try trial.equal(letter.payload, payload, "the raw message")
            try trial.equal(letter.taskID, "a", "the task's id")
            try trial.equal(letter.task, "task", "the task's name")
            try trial.equal(letter.queue, "q", "the queue")
            try trial.equal(letter.reason, .rejected, "the reason")
            try trial.equal(letter.error, "refused", "the error")
            try trial.equal(letter.worker, "node@host", "the worker")
            try trial.equal(letter.attempts, 1, "the attempts")
            try trial.hold(
                abs(letter.diedAt.timeIntervalSince(trial.fixture.now)) < 60, "its time is that of its death")
            let none = try await broker.deadLetter("b")
            try trial.hold(none == nil, "there is no letter of another name")
        },

        BrokerClause("no two letters share a name", "A dead letter replaces no other, and none goes without a name.") {
            trial in
            let broker = try await trial.broker(with: (any InspectableBroker).self)
            try await trial.bury("a", payload: Array("1".utf8))
            try await trial.bury("a", payload: Array("2".utf8))
            try await trial.bury("", payload: Array("3".utf8))
            let letters = try await broker.deadLetters(in: "q", limit: 9)
            try trial.equal(letters.count, 3, "how many letters there are")
            try trial.equal(Set(letters.map(\.id)).count, 3, "how many names there are")
            try trial.hold(!letters.contains { $0.id.isEmpty }, "each letter has a name")
            for letter in letters {
                let found = try await broker.deadLetter(letter.id)
                try trial.equal(found?.payload, letter.payload, "the message of letter \(letter.id)")
            }
        },

        BrokerClause(
            "beyond the limit",
            "Of a message that is larger than its taker reads an excerpt may be given; it is kept whole."
        ) { trial in
            let broker = try await trial.broker(with: (any InspectableBroker).self)
            let payload = Array("{\"large\":\"".utf8) + Array(repeating: UInt8(ascii: "x"), count: 50_000)
            try await broker.send([OutgoingMessage(id: "a", queue: "q", payload: payload)])
            let consumer = try await trial.consumer(messageLimit: 10_000)
            var delivery = try await trial.take(consumer, 1)[0]
            try trial.equal(delivery.excerptOf ?? delivery.payload.count, payload.count, "the size that is told")
            try await trial.settle([.handingBack(delivery)], by: consumer)
            delivery = try await trial.take(consumer, 1)[0]
            try await trial.settle([Settlement(delivery, [.bury(trial.letter("a", of: delivery))])], by: consumer)
            let letter = try trial.unwrap(try await broker.deadLetter("a"), "the dead letter")
            try trial.hold(letter.payload == payload, "the dead letter has the whole message")
            try await trial.expectNothing()
        },

        BrokerClause("requeueing", "A dead letter's message goes back to its queue once, its losses forgotten.") {
            trial in
            let broker = try await trial.broker(with: (any InspectableBroker).self)
            try await trial.bury("a", payload: trial.task("a", losses: 2).payload)
            let answers = [try await broker.requeueDeadLetter("a"), try await broker.requeueDeadLetter("a")]
            try trial.equal(answers, [true, false], "what requeueing twice says")
            let consumer = try await trial.consumer()
            let deliveries = try await trial.take(consumer, 1)
            try trial.equal(deliveries.map(\.text), ["a"], "what waits again")
            try trial.equal(deliveries.map(\.message?.losses), [0], "the losses counted in it")
            try await trial.finish(deliveries, by: consumer)
            try await trial.expectNothing()
            let letters = try await broker.deadLetters(in: nil, limit: 9)
            try trial.equal(letters.map(\.id), [], "the letters that are left")
        },

        BrokerClause("requeueing what cannot be read", "Bytes that are no message are requeued as they were.") {
            trial in
            let broker = try await trial.broker(with: (any InspectableBroker).self)
            try await trial.bury("a", payload: Array("{nonsense".utf8))
            let isDone = try await broker.requeueDeadLetter("a")
            try trial.hold(isDone, "requeueing says that the letter was there")
            try await trial.expectWaiting(["{nonsense"])
        },

        BrokerClause("dropping", "A dead letter that is dropped is gone for good.") { trial in
            let broker = try await trial.broker(with: (any InspectableBroker).self)
            try await trial.bury("a")
            try await trial.bury("b")
            let answers = [try await broker.dropDeadLetter("a"), try await broker.dropDeadLetter("a")]
            try trial.equal(answers, [true, false], "what dropping twice says")
            let letters = try await broker.deadLetters(in: nil, limit: 9)
            try trial.equal(letters.map(\.id), ["b"], "the letters that are left")
            let isRequeued = try await broker.requeueDeadLetter("a")
            try trial.hold(!isRequeued, "what was dropped cannot be requeued")
            try await trial.expectNothing()
        },
    ]
}

extension Trial {
    /// Puts a message aside as a worker does.
    fileprivate func bury(_ id: String, queue: String = "q", payload: [UInt8]? = nil) async throws {
        let broker = try await broker()
        let payload = payload ?? task(id, queue: queue).payload
        try await broker.send([OutgoingMessage(id: id, queue: queue, payload: payload)])
        let consumer = try await consumer([queue], of: broker)
        let delivery = try await take(consumer, 1)[0]
        try await settle([Settlement(delivery, [.bury(letter(id, of: delivery))])], by: consumer)
        await consumer.close()
    }
}
