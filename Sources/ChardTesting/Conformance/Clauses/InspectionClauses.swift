// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension BrokerClause {
    static let inspection: [BrokerClause] = [
        BrokerClause("counts", "A queue's report counts what waits, is delayed, is held and is dead.") { trial in
            let broker = try await trial.broker(with: (any InspectableBroker).self)
            let consumer = try await trial.consumer()
            try await trial.send("a", "b", "c", "d", "e", by: broker)
            try await trial.send("low", priority: 9, by: broker)
            try await trial.send("later", dueAt: trial.fixture.now + 3_600, by: broker)
            try await trial.send("x", to: "other", by: broker)
            let deliveries = try await trial.take(consumer, 3)
            try await trial.settle(
                [Settlement(deliveries[0], [.bury(trial.letter("a", of: deliveries[0]))])], by: consumer)
            var report = try await trial.report(by: broker)
            try trial.equal(
                report, QueueReport(queue: "q", waiting: 3, delayed: 1, leased: 2, dead: 1), "the report")
            try await trial.finish([deliveries[1]], by: consumer)
            try await trial.settle([.handingBack(deliveries[2])], by: consumer)
            report = try await trial.report(by: broker)
            try trial.equal(
                report, QueueReport(queue: "q", waiting: 4, delayed: 1, leased: 0, dead: 1), "the later report")
            guard let controllable = broker.power(.orders) else { return }
            try await controllable.pause("q")
            report = try await trial.report(by: broker)
            try trial.equal(report.isPaused, true, "whether the queue is said to be paused")
        },

        BrokerClause("names", "Every queue that holds something, or is watched, is known, by name.") { trial in
            let broker = try await trial.broker(with: (any InspectableBroker).self)
            var names = try await broker.queueNames()
            try trial.equal(names, [], "the queues of an empty broker")
            try await trial.send("a", to: "waiting", by: broker)
            try await trial.send("b", to: "priority", priority: 9, by: broker)
            try await trial.send("c", to: "delayed", dueAt: trial.fixture.now + 3_600, by: broker)
            try await trial.send("d", to: "dead", by: broker)
            let consumer = try await trial.consumer(["dead", "watched"])
            let delivery = try await trial.take(consumer, 1)[0]
            try await trial.settle([Settlement(delivery, [.bury(trial.letter("d", of: delivery))])], by: consumer)
            names = try await broker.queueNames()
            try trial.equal(names, ["dead", "delayed", "priority", "waiting", "watched"], "the names")
            let reported = try await broker.queues().map(\.queue)
            try trial.equal(reported, names, "the queues that are reported on")
        },

        BrokerClause(
            "peeking", "What waits is shown in the order in which it will be taken, and stays; large ones as excerpts."
        ) { trial in
            let broker = try await trial.broker(with: (any PeekableBroker).self)
            let large = trial.large("large", bytes: 50_000)
            try await trial.send("low", priority: 9, by: broker)
            try await trial.send("a", by: broker)
            try await broker.send([large])
            try await trial.send("x", to: "other", by: broker)
            try await trial.send("later", dueAt: trial.fixture.now + 3_600, by: broker)
            let seen = try await broker.waitingMessages(in: "q", limit: 9, messageLimit: 40_000)
            try trial.equal(seen.map(\.text), ["a", "large", "low"], "what waits")
            try trial.equal(seen.map(\.priority), [0, 0, 9], "the priorities")
            try trial.equal(seen.map(\.queue), ["q", "q", "q"], "the queues")
            try trial.equal(seen.map(\.holder), [nil, nil, nil], "the holders of what waits")
            try trial.equal(seen.map(\.excerptOf), [nil, large.payload.count, nil], "the sizes of excerpts")
            try trial.equal(seen[1].task.name, "task", "the task's name in an excerpt")
            try trial.hold(seen[1].payload.count < 40_000, "an excerpt is shorter than the limit")
            let whole = try await broker.waitingMessages(in: "q", limit: 2, messageLimit: large.payload.count)
            try trial.equal(whole.map(\.text), ["a", "large"], "what waits, at most two")
            try trial.equal(whole[1].excerptOf, nil, "whether a message no larger than the limit is an excerpt")
            try trial.hold(whole[1].payload == large.payload, "a message no larger than the limit is given whole")
            for (queue, limit) in [("nowhere", 9), ("q", 0)] {
                let none = try await broker.waitingMessages(in: queue, limit: limit, messageLimit: 9)
                try trial.equal(none, [], "what waits in \(queue), at most \(limit)")
            }
            try await trial.expectWaiting(["a", "large", "low"])
        },

        BrokerClause(
            "peeking at what is held", "What processes hold is shown with its holder, for as long as it is held."
        ) { trial in
            let broker = try await trial.broker(with: (any PeekableBroker).self)
            let large = trial.large("large", bytes: 50_000)
            try await trial.send("a", "b", by: broker)
            let first = try await trial.consumer(["q", "other"], node: "first@host")
            var deliveries = try await trial.take(first, 2)
            try await broker.send([large])
            try await trial.send("low", priority: 9, by: broker)
            let second = try await trial.consumer(["q"], node: "second@host")
            deliveries += try await trial.take(second, 2)
            try await trial.send("x", to: "other", by: broker)
            deliveries += try await trial.take(first, 1)
            try await trial.send("waits", by: broker)
            var seen = try await broker.leasedMessages(in: "q", limit: 9, messageLimit: 40_000)
            try trial.equal(seen.map(\.text), ["a", "b", "large", "low"], "what is held")
            try trial.equal(
                seen.map(\.holder), [first, first, second, second].map(\.identity), "the holders of what is held")
            try trial.equal(seen.map(\.priority), [0, 0, 0, 9], "the priorities")
            try trial.equal(seen.map(\.excerptOf), [nil, nil, large.payload.count, nil], "the sizes of excerpts")
            seen = try await broker.leasedMessages(in: "q", limit: 1, messageLimit: 40_000)
            try trial.equal(seen.map(\.text), ["a"], "what is held, at most one")
            try await trial.finish([deliveries[0]], by: first)
            try await trial.settle([Settlement(deliveries[2], [.putBack(as: nil)])], by: second)
            seen = try await broker.leasedMessages(in: "q", limit: 9, messageLimit: 9)
            try trial.equal(seen.map(\.holder), [first.identity, second.identity], "the holders of what is left")
            let none = try await broker.leasedMessages(in: "nowhere", limit: 9, messageLimit: 9)
            try trial.equal(none, [], "what is held of a queue that nobody serves")
            try await trial.finish([deliveries[1], deliveries[4]], by: first)
            try await trial.finish([deliveries[3]], by: second)
        },

        BrokerClause("the oldest", "A report says how long the next message has existed, where the message tells.") {
            trial in
            let broker = try await trial.broker(with: (any InspectableBroker).self)
            var message = TaskMessage(task: "task", id: "a", body: MessageBody(), queue: "q")
            try await broker.send([OutgoingMessage(id: "a", queue: "q", payload: message.encoded())])
            let untold = try await trial.report(by: broker)
            try trial.equal(untold.oldestWait, nil, "the age of a message that does not tell")
            message.properties.timestamp = Int(trial.fixture.now.timeIntervalSince1970) - 70
            try await broker.send([OutgoingMessage(id: "b", queue: "r", payload: message.encoded())])
            let body = MessageBody(Arguments([.string(String(repeating: "x", count: 200_000))]))
            var large = TaskMessage(task: "task", id: "c", body: body, queue: "s")
            large.properties.timestamp = message.properties.timestamp
            try await broker.send([OutgoingMessage(id: "c", queue: "s", payload: large.encoded())])
            for queue in ["r", "s"] {
                let told = try trial.unwrap(try await trial.report(queue, by: broker).oldestWait, "the age")
                try trial.hold((69...130).contains(told), "a message of 70 seconds is said to be so old, not \(told)")
            }
        },

        BrokerClause(
            "purging", "Purging deletes what waits, the delayed too where that is wished, and says how many."
        ) {
            trial in
            let broker = try await trial.broker(with: (any InspectableBroker).self)
            let consumer = try await trial.consumer()
            try await trial.send("a", "b", "c", by: broker)
            try await trial.send("low", priority: 9, by: broker)
            try await trial.send("later", dueAt: trial.fixture.now + 3_600, by: broker)
            try await trial.send("x", to: "other", by: broker)
            let held = try await trial.take(consumer, 1)
            var counts = [try await broker.purge("q", delayed: false)]
            let report = try await trial.report(by: broker)
            try trial.equal(
                report, QueueReport(queue: "q", waiting: 0, delayed: 1, leased: 1, dead: 0), "what is left")
            counts.append(try await broker.purge("q", delayed: true))
            counts.append(try await broker.purge("q", delayed: true))
            counts.append(try await broker.purge("nowhere", delayed: true))
            try trial.equal(counts, [3, 1, 0, 0], "how many were purged")
            try await trial.settle([.handingBack(held[0])], by: consumer)
            await consumer.close()
            try await trial.expectWaiting(["a"])
            try await trial.expectWaiting(["x"], in: "other")
        },

        BrokerClause("workers", "The processes that hold a consumer are listed, with what they said of themselves.") {
            trial in
            let broker = try await trial.broker(with: (any InspectableBroker).self)
            let first = try await trial.consumer(["q", "r"], node: "a@host")
            let second = try await trial.consumer(["s"], node: "b@host")
            let workers = try await broker.workers()
            try trial.equal(workers.map(\.node), ["a@host", "b@host"], "the nodes, by name")
            try trial.equal(workers.map(\.identity), [first.identity, second.identity], "their identities")
            try trial.equal(workers.map(\.queues), [["q", "r"], ["s"]], "their queues")
            try trial.equal(workers.map(\.concurrency), [3, 3], "their concurrency")
            await first.close()
            let left = try await broker.workers()
            try trial.equal(left.map(\.node), ["b@host"], "the nodes after one was closed")
            try await trial.silence(second)
            _ = try await trial.consumer(["elsewhere"], node: "c@host")
            try await trial.fixture.pass(trial.fixture.recovery)
            let alive = try await broker.workers()
            try trial.equal(alive.map(\.node), ["c@host"], "the nodes after one was lost")
        },

        BrokerClause("a hold of no queue", "It is alive, nothing comes to it, and it ends as others do.") { trial in
            let broker = try await trial.broker(with: (any InspectableBroker).self)
            let quiet = try await trial.consumer([], node: "quiet@host")
            let claim = Task { try await quiet.claim(upTo: 3) }
            try await trial.send("a", by: broker)
            let busy = try await trial.consumer(node: "busy@host")
            let deliveries = try await trial.take(busy, 1)
            try trial.equal(deliveries.map(\.text), ["a"], "what another gets")
            try trial.equal(
                try await broker.workers().map(\.queues).sorted { $0.count < $1.count }, [[], ["q"]], "the queues")
            quiet.wake()
            let claimed = try await trial.soon("a claim is called back") { try await claim.value }
            try trial.equal(claimed.count, 0, "what comes to who serves no queue")
            try trial.equal(try await quiet.isDrained(), true, "whether all is done of no queue")
            await quiet.close()
            try trial.equal(try await broker.workers().map(\.node), ["busy@host"], "the nodes after it was closed")
            try await trial.finish(deliveries, by: busy)
        },
    ]
}

extension Trial {
    /// A task's message that is longer than so many bytes.
    fileprivate func large(_ id: String, bytes: Int) -> OutgoingMessage {
        let body = MessageBody(Arguments([.string(String(repeating: "x", count: bytes))]))
        let message = TaskMessage(task: "task", id: id, body: body, queue: "q")
        return OutgoingMessage(id: id, queue: "q", payload: message.encoded())
    }

    fileprivate func report(_ queue: String = "q", by broker: any InspectableBroker) async throws -> QueueReport {
        let report = try await broker.queues().first { $0.queue == queue }
        return try unwrap(report, "the report of \(queue)")
    }
}

extension PeekedMessage {
    /// The payload as text; of a task's message, and of an excerpt of one, the task's id.
    fileprivate var text: String { task.id ?? String(decoding: payload, as: UTF8.self) }
}
