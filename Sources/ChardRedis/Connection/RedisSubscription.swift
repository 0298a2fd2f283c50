// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Synchronization

/// A listener's place on a channel; it ends with ``cancel()``, or when nobody holds it any more.
package final class RedisSubscription: Sendable {
    let id: Int
    private let subscriber: RedisSubscriber
    private let confirmation: FirstAnswer<Void, RedisError>
    private let isCancelled = Atomic(false)

    init(id: Int, subscriber: RedisSubscriber, confirmation: FirstAnswer<Void, RedisError>) {
        self.id = id
        self.subscriber = subscriber
        self.confirmation = confirmation
    }

    deinit {
        cancel()
    }

    /// Ends the subscription; a message that is on its way to the listener just now may still be delivered.
    package func cancel() {
        if isCancelled.exchange(true, ordering: .relaxed) { return }
        // Whoever waits for it need not be kept until its time is up.
        confirmation.give(.failure(.cancelled()))
        subscriber.perform(.remove(id: id))
    }
}

/// What a listener is told, all of it on the subscriber's event loop.
struct SubscriptionListener: Sendable {
    /// The server's first confirmation, or why there is none.
    let confirmation = FirstAnswer<Void, RedisError>()
    let onMessage: @Sendable (_ payload: [UInt8]) -> Void
    /// The server listens for it, not for the first time.
    let onResubscribed: @Sendable () -> Void
    /// Nothing comes any more, though it was confirmed once.
    let onEnd: @Sendable (RedisError) -> Void

    /// Ends its wait for the confirmation, or tells it that there will be nothing more.
    func end(_ error: RedisError) {
        if !confirmation.give(.failure(error)) { onEnd(error) }
    }
}
