// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

@testable import ChardRedis

extension RedisSubscriber {
    /// Listens to a channel, and returns when the server has confirmed; throws where it refuses.
    func subscribe(
        to channel: String, onMessage: @escaping @Sendable (_ payload: [UInt8]) -> Void,
        onResubscribed: @escaping @Sendable () -> Void = {}
    ) async throws -> RedisSubscription {
        let first = FirstAnswer<Void, RedisError>()
        let subscription = listen(to: channel, onMessage: onMessage) {
            if !first.give(.success(())) { onResubscribed() }
        } onEnd: {
            first.give(.failure($0))
        }
        try await withCheckedThrowingContinuation { continuation in
            first.whenGiven { continuation.resume(with: $0) }
        }
        return subscription
    }
}
