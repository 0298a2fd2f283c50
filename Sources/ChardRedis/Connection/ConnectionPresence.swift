// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What the world may know of a client's connection, readable from any thread.
final class ConnectionPresence: Sendable {
    private let since = Mutex<ContinuousClock.Instant?>(nil)
    private let observers = Mutex<[@Sendable (RedisClient.State) -> Void]>([])

    var connectedSince: ContinuousClock.Instant? { since.withLock { $0 } }

    func add(_ observer: @escaping @Sendable (RedisClient.State) -> Void) {
        observers.withLock { $0.append(observer) }
    }

    func connected(generation: Int) {
        since.withLock { $0 = .now }
        tell(.connected(generation: generation))
    }

    func disconnected(_ cause: RedisError) {
        since.withLock { $0 = nil }
        tell(.disconnected(cause))
    }

    private func tell(_ state: RedisClient.State) {
        for observer in observers.withLock({ $0 }) { observer(state) }
    }
}
