// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What the world may know of a client's connection, readable from any thread.
final class ConnectionPresence: Sendable {
    struct Connection: Sendable {
        let since: ContinuousClock.Instant
        let clientID: Int?
    }

    private let connection = Mutex<Connection?>(nil)
    private let observers = Mutex<[@Sendable (RedisClient.State) -> Void]>([])

    var current: Connection? { connection.withLock { $0 } }

    func add(_ observer: @escaping @Sendable (RedisClient.State) -> Void) {
        observers.withLock { $0.append(observer) }
    }

    func connected(generation: Int, clientID: Int?) {
        connection.withLock { $0 = Connection(since: .now, clientID: clientID) }
        tell(.connected(generation: generation))
    }

    func disconnected(_ cause: RedisError) {
        connection.withLock { $0 = nil }
        tell(.disconnected(cause))
    }

    private func tell(_ state: RedisClient.State) {
        for observer in observers.withLock({ $0 }) { observer(state) }
    }
}
