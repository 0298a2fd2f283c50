// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension Trial {
    /// Sends texts, each its own id.
    func send(
        _ texts: String..., to queue: String = "q", priority: Int = 0, dueAt: Date? = nil, by broker: any Broker
    ) async throws {
        try await broker.send(
            texts.map {
                OutgoingMessage(id: $0, queue: queue, priority: priority, dueAt: dueAt, payload: Array($0.utf8))
            })
    }

    /// A task's message, in which losses can be counted.
    /// - Parameter seal: Seals its losses, as if they had been counted.
    func task(
        _ id: String, queue: String = "q", ignoresResult: Bool? = nil, losses: Int = 0,
        sealedBy seal: LossSeal? = nil, dueAt: Date? = nil, priority: Int = 0
    ) -> OutgoingMessage {
        var message = TaskMessage(task: "task", id: id, body: MessageBody(), queue: queue)
        message.ignoresResult = ignoresResult
        message.losses = losses
        message.properties.priority = priority
        message = seal?.sealing(message) ?? message
        return OutgoingMessage(id: id, queue: queue, priority: priority, dueAt: dueAt, payload: message.encoded())
    }

    /// A delayed message for another time, in another form.
    func again(_ task: DelayedTask, dueAt: Date) -> OutgoingMessage {
        OutgoingMessage(
            id: task.name, queue: task.queue, priority: task.priority, dueAt: dueAt, payload: task.payload + [0x20])
    }

    func status(
        _ id: String, _ state: TaskState, _ result: JSON = .null, timeToLive: Duration? = .seconds(3_600)
    ) -> StatusRecord {
        StatusRecord(TaskStatus(id: id, state: state, result: result.encoded()), timeToLive: timeToLive)
    }

    func letter(_ id: String, of delivery: Delivery, diedAt: Date? = nil) -> DeadLetter {
        DeadLetter(
            id: id, taskID: id, task: "task", queue: delivery.queue, reason: .rejected, error: "refused", attempts: 1,
            worker: "node@host", diedAt: diedAt ?? fixture.now, payload: delivery.payload)
    }

    /// Finishes deliveries, and expects that to be written.
    func finish(_ deliveries: [Delivery], by consumer: any Consumer) async throws {
        try await settle(deliveries.map { Settlement($0) }, by: consumer)
    }

    func settle(_ settlements: [Settlement], by consumer: any Consumer) async throws {
        let receipts = try await soon("the settlements are answered") { try await consumer.settle(settlements) }
        try equal(receipts.map(\.end), Array(repeating: .settled, count: settlements.count), "the receipts")
    }

    /// Settles under a lease that is gone, and expects that nothing is written: it is fenced, or refused as lost.
    func settleInVain(_ settlements: [Settlement], by consumer: any Consumer) async throws {
        do {
            let receipts = try await soon("the settlements are answered") { try await consumer.settle(settlements) }
            try equal(receipts, Array(repeating: .fenced, count: settlements.count), "the receipts without a lease")
        } catch let error as BrokerError where error.code == .leaseLost {}
    }

    /// Expects that the next claim throws because the consumer is of no use any more.
    func expectUseless(_ consumer: any Consumer) async throws {
        let code = try await soon("a claim by a consumer that lost its lease ends") { () -> BrokerError.Code? in
            do {
                _ = try await consumer.claim(upTo: 1)
                return nil
            } catch let error as BrokerError {
                return error.code
            }
        }
        try equal(code, .leaseLost, "the code of the error of a claim without a lease")
    }

    /// Expects that nothing can be claimed from a queue, by claiming something else beside it.
    func expectNothing(in queue: String = "q") async throws {
        let broker = try await broker()
        let beside = "beside-\(queue)"
        let consumer = try await consumer([queue, beside], of: broker)
        try await send("beside", to: beside, by: broker)
        let deliveries = try await soon("what is beside \(queue) is claimed") {
            var all: [Delivery] = []
            while !all.contains(where: { $0.queue == beside }) { all += try await consumer.claim(upTo: 100) }
            return all
        }
        try equal(deliveries.filter { $0.queue == queue }.map(\.text), [], "what can be claimed from \(queue)")
        try await finish(deliveries, by: consumer)
        await consumer.close()
    }

    /// Expects exactly these texts to wait in a queue, in this order, and takes them out.
    func expectWaiting(_ texts: [String], in queue: String = "q") async throws {
        let consumer = try await consumer([queue])
        let deliveries = try await take(consumer, texts.count)
        try equal(deliveries.map(\.text), texts, "what waits in \(queue)")
        try await finish(deliveries, by: consumer)
        await consumer.close()
        try await expectNothing(in: queue)
    }
}

extension Delivery {
    /// The payload as text; of a task's message, the task's id.
    var text: String { message?.id ?? String(decoding: payload, as: UTF8.self) }
    /// The task's message, where it is one.
    var message: TaskMessage? { try? TaskMessage(decoding: payload) }
}
