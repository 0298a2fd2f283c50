// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation

@testable import Chard

extension MemoryBroker {
    func open(_ queues: [String] = ["q"], node: String = "n@h") async throws -> any Consumer {
        try await consumer(for: Subscription(queues: queues, node: node, concurrency: 1, startedAt: settings.now()))
    }

    /// Sends plain texts, whose order tests look at.
    func send(_ texts: String..., to queue: String = "q", priority: Int = 0, dueAt: Date? = nil) async throws {
        try await send(
            texts.map {
                OutgoingMessage(id: $0, queue: queue, priority: priority, dueAt: dueAt, payload: Array($0.utf8))
            })
    }

    /// Sends a message that a recovery can count losses in.
    func sendTask(_ id: String, to queue: String = "q") async throws {
        let message = TaskMessage(task: "t", id: id, body: MessageBody(), queue: queue)
        try await send([OutgoingMessage(id: id, queue: queue, payload: message.encoded())])
    }

    func report(_ queue: String = "q") async throws -> QueueReport? {
        try await queues().first { $0.queue == queue }
    }
}

extension Delivery {
    var text: String { payload.text }
    /// The message, for those that are some.
    var message: TaskMessage? { try? TaskMessage(decoding: payload) }
}

extension Consumer {
    /// Claims and finishes one after the other until nothing waits; returns their texts.
    func takeTexts(_ count: Int) async throws -> [String] {
        var texts: [String] = []
        while texts.count < count {
            let deliveries = try await claim(upTo: count - texts.count)
            if deliveries.isEmpty { break }
            texts += deliveries.map(\.text)
            _ = try await settle(deliveries.map { Settlement($0) })
        }
        return texts
    }
}
