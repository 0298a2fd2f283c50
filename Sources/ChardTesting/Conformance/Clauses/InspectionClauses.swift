// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension BrokerClause {
    static let inspection: [BrokerClause] = [
        BrokerClause("counts", "A queue's report counts what waits, is scheduled, is held and is dead.") { trial in
            let broker = try await trial.broker(with: (any InspectableBroker).self)
            let consumer = try await trial.consumer()
            try await trial.send("a", "b", "c", "d", "e", by: broker)
            try await trial.send("low", priority: 9, by: broker)
            try await trial.send("later", dueAt: trial.fixture.now + 3_600, by: broker)
            try await trial.send("x", to: "other", by: broker)
            let deliveries = try await trial.take(consumer, 3)
            try await trial.settle(
                [Settlement(deliveries[0], .dead(trial.letter("a", of: deliveries[0])))], by: consumer)
            var report = try await trial.report(by: broker)
            try trial.equal(
                report, QueueReport(queue: "q", waiting: 3, scheduled: 1, leased: 2, dead: 1), "the report")
            try await trial.finish([deliveries[1]], by: consumer)
            try await trial.settle([Settlement(deliveries[2], .returned)], by: consumer)
            report = try await trial.report(by: broker)
            try trial.equal(
                report, QueueReport(queue: "q", waiting: 4, scheduled: 1, leased: 0, dead: 1), "the later report")
            let names = try await broker.queues().map(\.queue)
            try trial.equal(names, ["other", "q"], "the queues, by name")
            guard let controllable = broker as? any ControllableBroker else { return }
            try await controllable.pause("q")
            report = try await trial.report(by: broker)
            try trial.equal(report.isPaused, true, "whether the queue is said to be paused")
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
            let told = try trial.unwrap(try await trial.report("r", by: broker).oldestWait, "the age")
            try trial.hold((69...130).contains(told), "a message of 70 seconds is said to be so old, not \(told)")
        },

        BrokerClause(
            "purging", "Purging deletes what waits, the scheduled too where that is wished, and says how many."
        ) {
            trial in
            let broker = try await trial.broker(with: (any InspectableBroker).self)
            let consumer = try await trial.consumer()
            try await trial.send("a", "b", "c", by: broker)
            try await trial.send("low", priority: 9, by: broker)
            try await trial.send("later", dueAt: trial.fixture.now + 3_600, by: broker)
            try await trial.send("x", to: "other", by: broker)
            let held = try await trial.take(consumer, 1)
            var counts = [try await broker.purge("q", scheduled: false)]
            let report = try await trial.report(by: broker)
            try trial.equal(
                report, QueueReport(queue: "q", waiting: 0, scheduled: 1, leased: 1, dead: 0), "what is left")
            counts.append(try await broker.purge("q", scheduled: true))
            counts.append(try await broker.purge("q", scheduled: true))
            counts.append(try await broker.purge("nowhere", scheduled: true))
            try trial.equal(counts, [3, 1, 0, 0], "how many were purged")
            try await trial.settle([Settlement(held[0], .returned)], by: consumer)
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
    ]
}

extension Trial {
    fileprivate func report(_ queue: String = "q", by broker: any InspectableBroker) async throws -> QueueReport {
        let report = try await broker.queues().first { $0.queue == queue }
        return try unwrap(report, "the report of \(queue)")
    }
}
