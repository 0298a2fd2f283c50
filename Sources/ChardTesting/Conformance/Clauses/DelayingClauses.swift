// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension BrokerClause {
    static let delaying: [BrokerClause] = [
        BrokerClause(
            "delayed", "A message with a due time is not claimed before it, and then in the order of due times."
        ) { trial in
            let broker = try await trial.broker()
            let consumer = try await trial.consumer()
            let due = trial.dueTimes(4)
            try await trial.send("3", dueAt: due[3], by: broker)
            try await trial.send("1", dueAt: due[1], by: broker)
            try await broker.send([
                OutgoingMessage(id: "4", queue: "q", dueAt: due[4], payload: Array("4".utf8)),
                OutgoingMessage(id: "2", queue: "q", dueAt: due[2], payload: Array("2".utf8)),
            ])
            var left = Set(1...4)
            while !left.isEmpty {
                let claim = Task { try await trial.take(consumer, 1) }
                try await trial.fixture.pass(trial.fixture.moment)
                let deliveries = try await claim.value
                let number = try trial.unwrap(Int(deliveries[0].text), "the number of what came")
                try trial.expectDue(due[number], "message \(number)")
                try trial.equal(number, left.min(), "what is due next")
                left.remove(number)
                try await trial.finish(deliveries, by: consumer)
            }
            try await trial.expectNothing()
        },

        BrokerClause("a moment early is too early", "Shortly before its time a delayed message cannot be claimed.") {
            trial in
            let broker = try await trial.broker()
            let consumer = try await trial.consumer(["q", "beside"])
            let due = trial.dueTimes(2)
            try await trial.send("a", dueAt: due[2], by: broker)
            try await trial.fixture.pass(trial.fixture.moment * 1.75)
            try await trial.send("beside", to: "beside", by: broker)
            var deliveries: [Delivery] = []
            while !deliveries.contains(where: { $0.text == "beside" }) {
                deliveries += try await trial.take(consumer, 1)
                if deliveries.contains(where: { $0.text == "a" }) { try trial.expectDue(due[2], "it") }
            }
            try await trial.fixture.pass(trial.fixture.moment)
            if deliveries.count == 1 { deliveries += try await trial.take(consumer, 1) }
            try trial.equal(Set(deliveries.map(\.text)), ["a", "beside"], "what came in the end")
            try await trial.finish(deliveries, by: consumer)
        },

        BrokerClause(
            "due and waiting by turns",
            "Of what is due the oldest comes first; what is due and what waits are claimed by turns, however much there is of "
                + "the one or the other."
        ) { trial in
            let broker = try await trial.broker()
            for (queue, due, sent) in [("mostly due", 14, 3), ("mostly sent", 3, 14)] {
                let consumer = try await trial.consumer([queue])
                let first = trial.dueTimes(1)[1]
                // Not in their order.
                for number in (0..<due).reversed() {
                    try await trial.send(
                        "due \(100 + number)", to: queue, dueAt: first + Double(number) / 1000, by: broker)
                }
                for number in 0..<sent { try await trial.send("sent \(100 + number)", to: queue, by: broker) }
                try await trial.fixture.pass(trial.fixture.moment * 3)
                var texts: [String] = []
                for _ in 0..<due + sent {
                    let deliveries = try await trial.take(consumer, 1)
                    texts += deliveries.map(\.text)
                    try await trial.finish(deliveries, by: consumer)
                }
                for kind in ["due", "sent"] {
                    let some = texts.filter { $0.hasPrefix(kind) }
                    try trial.equal(some, some.sorted(), "the order of what was \(kind)")
                    // One by one, and one more for where it began.
                    let early = texts.prefix(2 * min(due, sent) + 1).count { $0.hasPrefix(kind) }
                    try trial.hold(early >= min(due, sent), "of what was \(kind) enough came early in \(texts)")
                }
                await consumer.close()
            }
        },

        BrokerClause("due by priority", "What is due is claimed by its priority, too.") { trial in
            let broker = try await trial.broker()
            let consumer = try await trial.consumer()
            try await trial.send("waiting", by: broker)
            try await trial.send("waiting, low", priority: 9, by: broker)
            let due = trial.dueTimes(3)
            try await trial.send("due, low", priority: 9, dueAt: due[2], by: broker)
            try await trial.send("due", dueAt: due[3], by: broker)
            try await trial.fixture.pass(trial.fixture.moment * 5)
            let texts = try await trial.take(consumer, 4).map(\.text)
            try trial.equal(
                [Set(texts.prefix(2)), Set(texts.suffix(2))], [["due", "waiting"], ["due, low", "waiting, low"]],
                "the order of service")
        },

        BrokerClause("due in the past", "A due time that is over, or now, means at once.") { trial in
            let broker = try await trial.broker()
            try await trial.send("a", dueAt: trial.fixture.now - 60, by: broker)
            try await trial.send("b", dueAt: trial.fixture.now, by: broker)
            try await trial.send("c", dueAt: Date(timeIntervalSince1970: 0), by: broker)
            let consumer = try await trial.consumer()
            let deliveries = try await trial.take(consumer, 3)
            try trial.equal(Set(deliveries.map(\.text)), ["a", "b", "c"], "what can be claimed at once")
        },

        BrokerClause(
            "due while somebody waits",
            "A claim that waits gets what becomes due, also what was sent with an earlier time."
        ) { trial in
            let broker = try await trial.broker()
            let consumer = try await trial.consumer()
            try await trial.send("far", dueAt: trial.fixture.now + 3_600, by: broker)
            let claim = Task { try await trial.take(consumer, 1) }
            let due = trial.dueTimes(2)
            try await trial.send("near", dueAt: due[2], by: broker)
            try await trial.fixture.pass(trial.fixture.moment * 3)
            let deliveries = try await claim.value
            try trial.equal(deliveries.map(\.text), ["near"], "what became due")
            try trial.expectDue(due[2], "it")
            try await trial.finish(deliveries, by: consumer)
            try await trial.expectNothing()
        },

        BrokerClause("due while nobody is there", "A delayed message needs no worker to wait for its time.") {
            trial in
            let broker = try await trial.broker()
            let consumer = try await trial.consumer()
            let due = trial.dueTimes(1)
            try await trial.send("a", dueAt: due[1], by: broker)
            await consumer.close()
            await broker.shutdown()
            try await trial.fixture.pass(trial.fixture.moment * 2)
            try await trial.expectWaiting(["a"])
        },

        BrokerClause(
            "one id delayed twice", "Messages that share an id are messages all the same: none replaces another."
        ) {
            trial in
            let broker = try await trial.broker()
            let due = trial.dueTimes(2)
            let texts = ["first", "second", "third"]
            for (number, text) in texts.enumerated() {
                try await broker.send([
                    OutgoingMessage(id: "a", queue: "q", dueAt: due[1 + number / 2], payload: Array(text.utf8))
                ])
            }
            let consumer = try await trial.consumer()
            async let _: Void = trial.fixture.pass(trial.fixture.moment * 3)
            let deliveries = try await trial.take(consumer, 3)
            try trial.equal(Set(deliveries.map(\.text)), Set(texts), "what became due")
            try await trial.finish(deliveries, by: consumer)
            try await trial.expectNothing()
        },

        BrokerClause("what follows may be delayed", "A follower with a due time waits for it, as any message does.") {
            trial in
            let broker = try await trial.broker()
            let consumer = try await trial.consumer()
            try await broker.send([trial.task("a")])
            let delivery = try await trial.take(consumer, 1)[0]
            let due = trial.dueTimes(2)
            let retry = trial.task("a", dueAt: due[2])
            try await trial.settle(
                [Settlement(delivery, [.store(trial.status("a", .retry)), .push(retry)])], by: consumer)
            async let _: Void = trial.fixture.pass(trial.fixture.moment * 3)
            let again = try await trial.take(consumer, 1)
            try trial.equal(again.map(\.payload), [retry.payload], "what became due")
            try trial.expectDue(due[2], "the follower")
            try await trial.finish(again, by: consumer)
        },

        BrokerClause("punctual", "What is due can be claimed within three seconds, where somebody waits for it.") {
            trial in
            let broker = try await trial.broker()
            let consumer = try await trial.consumer()
            for _ in 0..<5 {
                let due = trial.dueTimes(1)
                try await trial.send("a", dueAt: due[1], by: broker)
                let claim = Task { try await trial.take(consumer, 1) }
                try await trial.fixture.pass(trial.fixture.moment * 2)
                let deliveries = try await claim.value
                let delay = trial.fixture.now.timeIntervalSince(due[1])
                try trial.hold(delay < 3 + trial.fixture.moment.seconds, "it came in time; it was \(delay) s late")
                try await trial.finish(deliveries, by: consumer)
            }
        },
    ]
}

extension Trial {
    /// Due times, each a moment after the one before; the first is now.
    fileprivate func dueTimes(_ count: Int) -> [Date] {
        let now = fixture.now
        return (0...count).map { now + fixture.moment.seconds * Double($0) }
    }

    /// Expects that a time has come. Clocks that are read at different places may differ by a hair.
    fileprivate func expectDue(_ due: Date, _ what: String) throws {
        let early = due.timeIntervalSince(fixture.now)
        try hold(early < 0.005, "\(what) is not claimed before its time; it was claimed \(early) s early")
    }
}
