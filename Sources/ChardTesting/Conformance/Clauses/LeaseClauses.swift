// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension BrokerClause {
    static let leases: [BrokerClause] = [
        BrokerClause(
            "closing hands back",
            "What a consumer holds when it is closed goes to the front, in order and uncounted, of its own queue and priority."
        ) { trial in
            let broker = try await trial.broker()
            let consumer = try await trial.consumer(["q", "other"])
            try await broker.send(["a", "b", "c"].map { trial.task($0) })
            try await broker.send([trial.task("low", priority: 9), trial.task("u", queue: "other")])
            let claimed = try await trial.take(consumer, 5)
            try await trial.finish(claimed.filter { $0.text == "b" }, by: consumer)
            try await broker.send([trial.task("d")])
            await consumer.close()
            let next = try await trial.consumer()
            let deliveries = try await trial.take(next, 4)
            try trial.equal(deliveries.map(\.text), ["a", "c", "d", "low"], "what waits after the close")
            try trial.equal(deliveries.map(\.message?.losses), [0, 0, 0, 0], "the losses counted")
            try await trial.finish(deliveries, by: next)
            try await trial.expectWaiting(["u"], in: "other")
        },

        BrokerClause("closing twice", "A second close does nothing.") { trial in
            let broker = try await trial.broker()
            let consumer = try await trial.consumer()
            try await trial.send("a", by: broker)
            _ = try await trial.take(consumer, 1)
            await consumer.close()
            await consumer.close()
            try await trial.expectWaiting(["a"])
        },

        BrokerClause(
            "a closed consumer", "A closed consumer is of no use: its claims throw leaseLost, and it settles nothing."
        ) { trial in
            let broker = try await trial.broker()
            let consumer = try await trial.consumer()
            try await trial.send("a", by: broker)
            let delivery = try await trial.take(consumer, 1)[0]
            let waiting = Task { try await consumer.claim(upTo: 1) }
            let lost = Task { await consumer.leaseLost() }
            await consumer.close()
            try await trial.soon("leaseLost() returns after the close") { await lost.value }
            try await trial.soon("leaseLost() returns at once from then on") { await consumer.leaseLost() }
            do {
                // A claim that had not begun to wait may have got back what the close returned.
                let deliveries = try await trial.soon("the waiting claim ends") { try await waiting.value }
                try trial.equal(deliveries.map(\.text), [], "what a claim returned beyond the close")
            } catch let error as BrokerError {
                try trial.equal(error.code, .leaseLost, "the code of the waiting claim's error")
            }
            try await trial.expectUseless(consumer)
            try await trial.settleInVain(
                [Settlement(delivery, [.store(trial.status("a", .success))])], by: consumer)
            let status = try await broker.status(of: "a")
            try trial.hold(status == nil, "a closed consumer stores nothing")
            try await trial.expectWaiting(["a"])
        },

        BrokerClause(
            "held until settled",
            "What a living consumer holds stays its own, however long it takes: the lease is renewed."
        ) { trial in
            let broker = try await trial.broker()
            let consumer = try await trial.consumer()
            _ = try await trial.consumer(["elsewhere"])
            try await broker.send([trial.task("a")])
            let delivery = try await trial.take(consumer, 1)[0]
            try await trial.expectNothing()
            try await trial.fixture.pass(trial.fixture.recovery)
            try await trial.expectNothing()
            try await consumer.report([trial.status("a", .progress)])
            let status = try await broker.status(of: "a")
            try trial.equal(status?.state, .progress, "the state that the holder reported")
            try await trial.finish([delivery], by: consumer)
        },

        BrokerClause("a shut down broker", "A broker that was shut down loses nothing that it was given.") { trial in
            let broker = try await trial.broker()
            let consumer = try await trial.consumer(of: broker)
            try await trial.send("a", "b", by: broker)
            let delivery = try await trial.take(consumer, 1)[0]
            try await trial.settle(
                [Settlement(delivery, [.store(trial.status("a", .success))])], by: consumer)
            await consumer.close()
            await broker.shutdown()
            let status = try await trial.broker().status(of: "a")
            try trial.equal(status?.state, .success, "the state stored before the end")
            try await trial.expectWaiting(["b"])
        },
    ]
}
