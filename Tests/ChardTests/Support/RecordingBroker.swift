// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

@testable import Chard

/// A broker that writes down what is sent and does nothing else; all else is a memory broker's.
final class RecordingBroker: SharedBroker {
    let sent = Recorder<[OutgoingMessage]>()
    let location = "recording://"
    private let memory = MemoryBroker()
    private let refusal = Mutex<BrokerError?>(nil)

    private let refusedQueue = Mutex<String?>(nil)
    private let othersQueues = Mutex<Set<String>>([])

    /// From now on only workers of another kind serve these queues.
    func give(toOthers queues: Set<String>) {
        othersQueues.withLock { $0 = queues }
    }

    func queuesOfOthers(among queues: Set<String>) async -> Set<String> {
        othersQueues.withLock { $0.intersection(queues) }
    }

    /// From now on sending throws this, or goes well.
    func refuse(with error: BrokerError?) {
        refusal.withLock { $0 = error }
    }

    /// From now on what is for this queue is refused for good; what is sent together with it has gone before.
    func refuse(queue: String?) {
        refusedQueue.withLock { $0 = queue }
    }

    @discardableResult
    func send(_ messages: [OutgoingMessage]) async throws -> [Placement] {
        if let error = refusal.withLock({ $0 }) { throw error }
        let queue = refusedQueue.withLock { $0 }
        let taken = messages.filter { $0.queue != queue }
        if !taken.isEmpty { sent.add(taken) }
        if taken.count < messages.count { throw BrokerError(.damaged, "the key of \(queue ?? "") is no list") }
        return Array(repeating: .queued, count: messages.count)
    }

    func consumer(for subscription: Subscription) async throws -> any Consumer {
        try await memory.consumer(for: subscription)
    }

    func connect() async throws {}
    func store(_ statuses: [StatusRecord]) async throws { try await memory.store(statuses) }
    func status(of id: String) async throws -> TaskStatus? { try await memory.status(of: id) }
    func statuses(of id: String) -> AsyncThrowingStream<TaskStatus, any Error> { memory.statuses(of: id) }
    func forget(_ id: String) async throws -> Bool { try await memory.forget(id) }
    func shutdown() async {}
}
