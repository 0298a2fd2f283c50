// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension BrokerClause {
    static let claiming: [BrokerClause] = [
        BrokerClause(
            "first come, first served", "Messages of one queue and priority are claimed in the order they came."
        ) {
            trial in
            let producer = try await trial.broker()
            try await trial.send("a", "b", "c", by: producer)
            try await trial.send("d", by: producer)
            try await trial.send("e", by: try await trial.broker())
            let consumer = try await trial.consumer()
            let first = try await consumer.claim(upTo: 3)
            try trial.hold(first.count <= 3, "no more are claimed than asked for")
            try trial.hold(!first.isEmpty, "a claim returns something where something waits")
            let rest = try await trial.take(consumer, 5 - first.count)
            try trial.equal((first + rest).map(\.text), ["a", "b", "c", "d", "e"], "the order")
        },

        BrokerClause(
            "priorities",
            "There are four steps, 0...2, 3...5, 6...8 and 9, served the lowest first; values outside are clamped."
        ) { trial in
            let producer = try await trial.broker()
            for (text, priority) in [
                ("9", 9), ("8", 8), ("3", 3), ("5", 5), ("0", 0), ("2", 2), ("-4", -4), ("77", 77), ("6", 6),
            ] {
                try await trial.send(text, priority: priority, by: producer)
            }
            let consumer = try await trial.consumer()
            let deliveries = try await trial.take(consumer, 9)
            try trial.equal(
                deliveries.map(\.text), ["0", "2", "-4", "3", "5", "8", "6", "9", "77"], "the order of service")
        },

        BrokerClause("an urgent message goes first", "Urgency goes before the turn of queues.") { trial in
            let producer = try await trial.broker()
            try await trial.send("a1", "a2", to: "a", priority: 3, by: producer)
            try await trial.send("b1", to: "b", by: producer)
            let consumer = try await trial.consumer(["a", "b"])
            let deliveries = try await trial.take(consumer, 3)
            try trial.equal(deliveries.map(\.text), ["b1", "a1", "a2"], "the order of service")
        },

        BrokerClause("queues in turn", "Of several queues none waits for another to be empty.") { trial in
            let producer = try await trial.broker()
            try await trial.send("a1", "a2", "a3", "a4", "a5", to: "a", by: producer)
            try await trial.send("b1", "b2", "b3", to: "b", by: producer)
            try await trial.send("c1", "c2", "c3", "c4", to: "c", by: producer)
            let consumer = try await trial.consumer(["a", "b", "c"])
            var single: [Delivery] = []
            for _ in 0..<3 { single += try await trial.take(consumer, 1) }
            try trial.equal(Set(single.map(\.queue)), ["a", "b", "c"], "the queues of three single claims")
            let rest = try await trial.take(consumer, 9)
            for round in [rest[0..<3], rest[3..<6]] {
                try trial.equal(
                    Set(round.map(\.queue)), ["a", "b", "c"], "the queues of one round of \(rest.map(\.text))")
            }
            for queue in ["a", "b", "c"] {
                let texts = (single + rest).filter { $0.queue == queue }.map(\.text)
                try trial.equal(texts, texts.sorted(), "the order within \(queue)")
            }
        },

        BrokerClause(
            "only its own queues", "A consumer gets what is in the queues of its subscription, and nothing else."
        ) {
            trial in
            let producer = try await trial.broker()
            try await trial.send("x", to: "other", by: producer)
            try await trial.expectNothing(in: "q")
            try await trial.expectWaiting(["x"], in: "other")
        },

        BrokerClause("each message once", "Of consumers that claim at the same time, each message goes to exactly one.")
        {
            trial in
            let producer = try await trial.broker()
            let texts = (0..<300).map { "\($0)" }
            try await producer.send(texts.map { OutgoingMessage(id: $0, queue: "q", payload: Array($0.utf8)) })
            let consumers = [
                try await trial.consumer(), try await trial.consumer(), try await trial.consumer(),
            ]
            let seen = Tally<String>()
            try await trial.soon("three consumers have claimed everything") {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for consumer in consumers {
                        group.addTask {
                            while seen.count < texts.count {
                                let deliveries = try await consumer.claim(upTo: 7)
                                seen.add(deliveries.map(\.text))
                                _ = try await consumer.settle(deliveries.map { Settlement($0) })
                            }
                            for consumer in consumers { consumer.wake() }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            try trial.equal(seen.count, texts.count, "how many deliveries there were")
            try trial.equal(Set(seen.all), Set(texts), "which messages were delivered")
            try await trial.expectNothing()
        },

        BrokerClause("a claim waits", "A claim that finds nothing waits, and returns when a message comes.") { trial in
            let producer = try await trial.broker()
            let consumer = try await trial.consumer()
            for round in 1...3 {
                let claim = Task { try await trial.take(consumer, 1) }
                try await trial.send("a\(round)", by: producer)
                let deliveries = try await claim.value
                try trial.equal(deliveries.map(\.text), ["a\(round)"], "what the waiting claim returned")
                try await trial.finish(deliveries, by: consumer)
            }
        },

        BrokerClause("one of many that wait", "A message that comes while many wait goes to one of them.") { trial in
            let producer = try await trial.broker()
            var consumers: [any Consumer] = []
            for _ in 0..<4 { consumers.append(try await trial.consumer()) }
            let claimed = Tally<String>()
            let claims = consumers.map { consumer in
                Task {
                    while claimed.all.isEmpty {
                        let deliveries = try await consumer.claim(upTo: 5)
                        claimed.add(deliveries.map(\.text))
                        _ = try await consumer.settle(deliveries.map { Settlement($0) })
                    }
                }
            }
            try await trial.send("a", by: producer)
            try await trial.eventually("the message is claimed") { !claimed.all.isEmpty }
            try await trial.calling(consumers) {
                for claim in claims { try await claim.value }
            }
            try trial.equal(claimed.all, ["a"], "what all of them got together")
            try await trial.expectNothing()
        },

        BrokerClause(
            "a claim can be called back", "wake() makes a waiting claim return, with nothing where nothing came."
        ) {
            trial in
            let producer = try await trial.broker()
            let consumer = try await trial.consumer()
            let claim = Task { try await consumer.claim(upTo: 5) }
            let nothing = try await trial.calling([consumer]) { try await claim.value }
            try trial.equal(nothing.map(\.text), [], "what the claim returned")
            try await trial.send("a", by: producer)
            let deliveries = try await trial.take(consumer, 1)
            try trial.equal(deliveries.map(\.text), ["a"], "what the next claim returned")
        },

        BrokerClause("a claim can be cancelled", "A cancelled claim returns with nothing; the consumer goes on.") {
            trial in
            let producer = try await trial.broker()
            let consumer = try await trial.consumer()
            for _ in 0..<3 {
                let claim = Task { try await consumer.claim(upTo: 5) }
                claim.cancel()
                let nothing = try await trial.soon("a cancelled claim returns") { try await claim.value }
                try trial.equal(nothing.map(\.text), [], "what the cancelled claim returned")
            }
            try await trial.send("a", by: producer)
            let deliveries = try await trial.take(consumer, 1)
            try trial.equal(deliveries.map(\.text), ["a"], "what the next claim returned")
        },

        BrokerClause(
            "what was claimed is returned",
            "A claim that is cancelled or called back returns what it has moved already."
        ) { trial in
            let producer = try await trial.broker()
            let consumer = try await trial.consumer()
            var claimed: [String] = []
            let expected = (0..<40).map { "\($0)" }
            for text in expected {
                let claim = Task { try await consumer.claim(upTo: 5) }
                async let sending: Void = trial.send(text, by: producer)
                if claimed.count % 2 == 0 { claim.cancel() } else { consumer.wake() }
                try await sending
                let deliveries = try await trial.calling([consumer]) { try await claim.value }
                claimed += deliveries.map(\.text)
                try await trial.finish(deliveries, by: consumer)
            }
            while claimed.count < expected.count {
                let deliveries = try await trial.take(consumer, 1)
                claimed += deliveries.map(\.text)
                try await trial.finish(deliveries, by: consumer)
            }
            // In what order is not promised to claims that are given up.
            try trial.equal(claimed.sorted(), expected.sorted(), "what was claimed in all")
            try await trial.expectNothing()
        },

        BrokerClause("drained", "A consumer is drained when nothing waits in its queues, whatever is elsewhere.") {
            trial in
            let producer = try await trial.broker()
            let consumer = try await trial.consumer(["q", "r"])
            try await trial.send("x", to: "other", by: producer)
            try await trial.send("later", dueAt: trial.fixture.now + 3_600, by: producer)
            var isDrained = try await consumer.isDrained()
            try trial.hold(isDrained, "a consumer of empty queues is drained")
            try await trial.send("a", to: "r", priority: 9, by: producer)
            isDrained = try await consumer.isDrained()
            try trial.hold(!isDrained, "a consumer with a message of the last priority is not drained")
            let deliveries = try await trial.take(consumer, 1)
            isDrained = try await consumer.isDrained()
            try trial.hold(isDrained, "what is held counts no more")
            try await trial.finish(deliveries, by: consumer)
        },

        BrokerClause("identities", "No two consumers ever have the same identity.") { trial in
            let broker = try await trial.broker()
            var identities: Set<String> = []
            for _ in 0..<5 {
                let consumer = try await trial.consumer(of: broker)
                identities.insert(consumer.identity)
                await consumer.close()
                identities.insert(try await trial.consumer().identity)
            }
            try trial.equal(identities.count, 10, "the number of identities of ten consumers")
        },
    ]
}
