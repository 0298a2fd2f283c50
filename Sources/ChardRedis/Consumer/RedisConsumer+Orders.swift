// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Synchronization

extension RedisConsumer {
    func isRevoked(_ id: String) -> Bool {
        state.withLock { $0.orders.revoked.contains(id) }
    }

    func isPaused(_ queue: String) -> Bool {
        state.withLock { $0.orders.paused.contains(queue) }
    }

    /// Reads the orders anew; a claim that waits begins again under them.
    func learnOrders() async throws {
        let orders = try await persevering { () throws(RedisError) in
            try Orders(try await client.pipeline(Orders.read(keys)))
        }
        let hasChanged = state.withLock { state in
            defer { state.orders = orders }
            return state.orders.paused != orders.paused
        }
        guard hasChanged else { return }
        await unblock()
        signal.fire()
    }

    /// Takes the number of the present orders.
    func knowsOrders(_ number: String) {
        guard state.withLock({ $0.orders.number != number }) else { return }
        Task(executorPreference: broker.executor) { [self] in try? await learnOrders() }
    }

    /// Takes what the channel of orders tells: something has changed, and these runs are to be cancelled.
    func ordered(_ ids: [UInt8]) {
        Task(executorPreference: broker.executor) { [self] in try? await learnOrders() }
        if let ids = try? JSON.decode([String].self, from: ids), !ids.isEmpty {
            subscription.onTerminate(Set(ids))
        }
    }
}
