// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension BrokerClause {
    static let sending: [BrokerClause] = [
        BrokerClause(
            "a message that was sent is there",
            "When a send returns, its messages are in the broker, for every process to find."
        ) { trial in
            let producer = try await trial.broker()
            try await trial.send("a", by: producer)
            await producer.shutdown()
            let consumer = try await trial.consumer()
            let delivery = try await trial.take(consumer, 1)[0]
            try trial.equal(delivery.text, "a", "the payload")
            try trial.equal(delivery.queue, "q", "the queue")
        },

        BrokerClause(
            "many messages in one call", "One send may hold many messages for several queues; each keeps its order."
        ) { trial in
            let producer = try await trial.broker()
            let messages = (0..<600).map { number in
                OutgoingMessage(id: "\(number)", queue: "q\(number % 3)", payload: Array("\(number)".utf8))
            }
            try await producer.send(messages)
            for remainder in 0..<3 {
                let consumer = try await trial.consumer(["q\(remainder)"])
                let deliveries = try await trial.take(consumer, 200)
                let expected = stride(from: remainder, to: 600, by: 3).map(String.init)
                try trial.equal(deliveries.map(\.text), expected, "what q\(remainder) holds")
                try await trial.finish(deliveries, by: consumer)
            }
        },

        BrokerClause(
            "what became of each message",
            "A send answers for each message, in order: queued, or delayed until its time where that is to come."
        ) { trial in
            let producer = try await trial.broker()
            let (past, future) = (trial.fixture.now - 60, trial.fixture.now + 3_600)
            let dueTimes: [Date?] = [nil, future, past, nil, future + 1]
            let placements = try await producer.send(
                dueTimes.enumerated().map { number, dueAt in
                    OutgoingMessage(
                        id: "\(number)", queue: "q\(number % 2)", dueAt: dueAt, payload: Array("\(number)".utf8))
                })
            let expected: [Placement] = [
                .queued, .delayed(until: future), .queued, .queued, .delayed(until: future + 1),
            ]
            try trial.equal(placements, expected, "the placements")
            let consumer = try await trial.consumer(["q0", "q1"])
            let deliveries = try await trial.take(consumer, 3)
            try trial.equal(deliveries.map(\.text).sorted(), ["0", "2", "3"], "what can be claimed")
            try await trial.finish(deliveries, by: consumer)
        },

        BrokerClause("sending nothing", "An empty send does nothing, and is no error.") { trial in
            let placements = try await trial.broker().send([])
            try trial.equal(placements, [], "the placements")
            try await trial.expectNothing()
        },

        BrokerClause("any bytes", "A payload comes back byte for byte, whatever its bytes are.") { trial in
            let producer = try await trial.broker()
            let payloads: [[UInt8]] = [
                Array(0...255), [], [0], Array("\r\n'\"\\%s{}\u{1}".utf8), [0xFF, 0xFE, 0xC0, 0x80],
                Array("käse 🧀 \u{2028}".utf8), Array(repeating: 0, count: 10_000),
            ]
            try await producer.send(
                payloads.enumerated().map { OutgoingMessage(id: "\($0)", queue: "q", payload: $1) })
            let consumer = try await trial.consumer()
            let deliveries = try await trial.take(consumer, payloads.count)
            try trial.equal(deliveries.map(\.payload), payloads, "the payloads")
            try await trial.finish(deliveries, by: consumer)
            try await trial.expectNothing()
        },

        BrokerClause("a large message", "A message of 1 MiB travels like any other.") { trial in
            let payload = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
            let producer = try await trial.broker()
            try await producer.send([OutgoingMessage(id: "large", queue: "q", payload: payload)])
            let consumer = try await trial.consumer()
            let deliveries = try await trial.take(consumer, 1)
            try trial.hold(deliveries[0].payload == payload, "the large payload is unchanged")
            try await trial.settle([.handingBack(deliveries[0])], by: consumer)
            let again = try await trial.take(consumer, 1)
            try trial.hold(again[0].payload == payload, "the large payload is unchanged after its return")
            try await trial.finish(again, by: consumer)
            try await trial.expectNothing()
        },

        BrokerClause("strange names", "Queues and ids may have any name that is not empty.") { trial in
            let producer = try await trial.broker()
            let names = ["two words", "käse", "a:b", "a'b\"c", "*", "{a}", "%", "a/b\\c", "--", "0"]
            for name in names {
                try await producer.send([
                    OutgoingMessage(id: name, queue: name, payload: Array("to \(name)".utf8)),
                    OutgoingMessage(
                        id: name, queue: name, dueAt: trial.fixture.now + 3_600, payload: Array("later".utf8)),
                ])
            }
            for name in names {
                let consumer = try await trial.consumer([name])
                let delivery = try await trial.take(consumer, 1)[0]
                try trial.equal(delivery.text, "to \(name)", "what \(name) holds")
                try trial.equal(delivery.queue, name, "the delivery's queue")
                let status = trial.status(name, .success, .string(name))
                try await trial.settle([Settlement(delivery, [.store(status)])], by: consumer)
                let stored = try await producer.status(of: name)
                try trial.equal(stored?.result, .string(name), "the status of \(name)")
                await consumer.close()
            }
        },

        BrokerClause(
            "the same bytes twice",
            "Two messages of the same bytes are two messages: each is claimed and settled by itself."
        ) { trial in
            let producer = try await trial.broker()
            try await trial.send("a", "a", "a", "a", by: producer)
            let first = try await trial.consumer()
            let second = try await trial.consumer()
            let held = try await trial.take(first, 2)
            let other = try await trial.take(second, 1)
            try await trial.finish(other, by: second)
            try await trial.settleInVain([Settlement(other[0])], by: second)
            try await trial.finish([held[0]], by: first)
            try await trial.finish([held[1]], by: first)
            try await trial.expectWaiting(["a"])
        },
    ]
}
