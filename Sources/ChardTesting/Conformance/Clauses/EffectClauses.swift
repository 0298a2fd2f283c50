// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension BrokerClause {
    /// What each effect means, whatever the step: and that the steps of all kinds write them alike.
    static let effects: [BrokerClause] = [
        BrokerClause("no effects", "A settlement without effects takes the message away and says nothing.") { trial in
            let consumer = try await trial.consumer()
            try await trial.send("a", by: try await trial.broker())
            let delivery = try await trial.take(consumer, 1)[0]
            let receipts = try await consumer.settle([Settlement(delivery)])
            try trial.equal(receipts, [.settled], "the receipt")
            await consumer.close()
            try await trial.expectNothing()
        },

        BrokerClause("several statuses", "A settlement stores the status of every task that it names.") { trial in
            let broker = try await trial.broker()
            let consumer = try await trial.consumer()
            try await trial.send("a", by: broker)
            let delivery = try await trial.take(consumer, 1)[0]
            try await broker.store([trial.status("c", .success, 1)])
            let effects: Effects = [
                .store(trial.status("a", .success, 7)), .store(trial.status("b", .failure)),
                .store(trial.status("c", .failure)),
            ]
            try await trial.settle([Settlement(delivery, effects)], by: consumer)
            try trial.equal(try await broker.status(of: "a")?.result, 7, "the first")
            try trial.equal(try await broker.status(of: "b")?.state, .failure, "the second")
            try trial.equal(try await broker.status(of: "c")?.state, .success, "the third, which had succeeded")
        },

        BrokerClause("put back in another form", "A message is put back in the form that is given, foremost.") {
            trial in
            let broker = try await trial.broker()
            let consumer = try await trial.consumer()
            try await trial.send("a", "b", "c", by: broker)
            let deliveries = try await trial.take(consumer, 2)
            let back = Settlement(deliveries[0], [.putBack(as: Array("A".utf8))])
            try await trial.settle([.handingBack(deliveries[1]), back], by: consumer)
            await consumer.close()
            try await trial.expectWaiting(["A", "b", "c"])
        },

        BrokerClause("what effects say", "A receipt says under which names letters and delayed messages are kept.") {
            trial in
            let broker = try await trial.broker(with: (any InspectableBroker).self)
            let consumer = try await trial.consumer()
            for expected in ["a", "a#2"] {
                try await trial.send("a", by: broker)
                let delivery = try await trial.take(consumer, 1)[0]
                let receipts = try await consumer.settle([
                    Settlement(
                        delivery, [.store(trial.status("a", .failure)), .bury(trial.letter("a", of: delivery))])
                ])
                try trial.equal(receipts, [Receipt(.settled, answers: [.name(expected)])], "the receipt")
                let letter = try await broker.deadLetter(expected)
                try trial.equal(letter?.payload, delivery.payload, "the letter of that name")
            }
            try await trial.send("b", by: broker)
            let delivery = try await trial.take(consumer, 1)[0]
            let later = trial.task("b", dueAt: trial.fixture.now + 3_600)
            let receipts = try await consumer.settle([Settlement(delivery, [.push(later)])])
            try trial.equal(receipts, [Receipt(.settled, answers: [.name("b")])], "the receipt of what is delayed")
        },

        BrokerClause("a hundred effects", "A settlement may leave much behind, in the order in which it is told.") {
            trial in
            let broker = try await trial.broker()
            let consumer = try await trial.consumer()
            try await trial.send("a", "b", by: broker)
            let deliveries = try await trial.take(consumer, 2)
            var effects: Effects = []
            for number in 0..<100 {
                effects.append(
                    .push(OutgoingMessage(id: "\(number)", queue: "next", payload: Array("\(number)".utf8))))
            }
            let settlements = [Settlement(deliveries[0], effects), Settlement(deliveries[1])]
            try await trial.settle(settlements, by: consumer)
            try await trial.expectWaiting((0..<100).map { "\($0)" }, in: "next")
        },
    ]
}
