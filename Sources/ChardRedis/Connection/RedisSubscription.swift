// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A listener's place on a channel or pattern; it ends with ``cancel()``, or when nobody holds it any more.
package final class RedisSubscription: Sendable {
    let id: Int
    private let subscriber: RedisSubscriber

    init(id: Int, subscriber: RedisSubscriber) {
        self.id = id
        self.subscriber = subscriber
    }

    deinit {
        subscriber.perform(.remove(id: id))
    }

    /// Ends the subscription; a message that is on its way to the listener just now may still be delivered.
    package func cancel() {
        subscriber.perform(.remove(id: id))
    }
}

/// What a listener is told, all of it on the subscriber's event loop.
struct SubscriptionListener: Sendable {
    /// The server's first confirmation, or why there is none.
    let confirmation = OneShot<Void>()
    let onMessage: @Sendable (_ channel: [UInt8], _ payload: [UInt8]) -> Void
    let onLost: @Sendable () -> Void
    let onResubscribed: @Sendable () -> Void
}
