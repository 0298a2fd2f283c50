// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

/// One connection that listens to channels, opened anew and subscribed again whenever it is lost.
///
/// Messages published while there is no connection are lost: `onLost` tells when that begins, `onResubscribed` when the
/// server is listening for us again and whatever may have been missed should be read another way. Who listens without waiting
/// for the confirmation is also told when the server refuses. Callbacks run on the event loop, in the order of the server; they
/// must not block.
package final class RedisSubscriber: Sendable {
    enum Operation: Sendable {
        case add(SubscriptionListener, id: Int, topic: SubscriptionTable<SubscriptionListener>.Topic)
        case remove(id: Int)
    }

    package let eventLoop: any EventLoop
    private let core: NIOLoopBoundBox<RedisSubscriberCore>
    private let mailbox = Mailbox<Operation>()
    private let lastID = Atomic(0)

    /// Makes a subscriber; nothing is opened before the first subscription.
    ///
    /// - Parameter jitter: Draws where each wait between attempts falls in its range, from 0 to 1.
    package init(
        url: RedisURL, options: RedisOptions = RedisOptions(), eventLoop: any EventLoop = RedisClient.sharedLoop,
        jitter: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
    ) {
        self.eventLoop = eventLoop
        let reconnector = Reconnector(url: url, options: options, eventLoop: eventLoop, jitter: jitter)
        core = NIOLoopBoundBox.makeBoxSendingValue(RedisSubscriberCore(reconnector), eventLoop: eventLoop)
    }

    /// Listens to a channel; returns when the server has confirmed, so that nothing published later is missed.
    ///
    /// Throws after ``RedisOptions/commandTimeout`` without confirmation.
    package func subscribe(
        to channel: String, onMessage: @escaping @Sendable (_ payload: [UInt8]) -> Void,
        onLost: @escaping @Sendable () -> Void = {}, onResubscribed: @escaping @Sendable () -> Void = {}
    ) async throws(RedisError) -> RedisSubscription {
        let listener = SubscriptionListener(
            onMessage: { _, payload in onMessage(payload) }, onLost: onLost, onResubscribed: onResubscribed)
        return try await add(listener, to: .init(isPattern: false, name: channel))
    }

    /// Listens to all channels whose names match a glob pattern; otherwise as with one channel.
    package func subscribe(
        toPattern pattern: String,
        onMessage: @escaping @Sendable (_ channel: [UInt8], _ payload: [UInt8]) -> Void,
        onLost: @escaping @Sendable () -> Void = {}, onResubscribed: @escaping @Sendable () -> Void = {}
    ) async throws(RedisError) -> RedisSubscription {
        let listener = SubscriptionListener(onMessage: onMessage, onLost: onLost, onResubscribed: onResubscribed)
        return try await add(listener, to: .init(isPattern: true, name: pattern))
    }

    /// Listens to a channel, without waiting for anything.
    ///
    /// - Parameters:
    ///   - whenSubscribed: Told when the server has begun to listen for us; again after each loss of the connection.
    ///   - onEnd: Told why nothing comes that waiting would bring: the server refuses us or the channel, does not confirm in
    ///     time, or the subscriber was closed.
    package func listen(
        to channel: String, onMessage: @escaping @Sendable (_ payload: [UInt8]) -> Void,
        whenSubscribed: @escaping @Sendable () -> Void, onEnd: @escaping @Sendable (RedisError) -> Void
    ) -> RedisSubscription {
        let listener = SubscriptionListener(
            onMessage: { _, payload in onMessage(payload) }, onLost: {}, onResubscribed: whenSubscribed, onEnd: onEnd)
        listener.confirmation.whenComplete { result in
            switch result {
            case .success: whenSubscribed()
            case .failure(let error) where error.code == .cancelled: break
            case .failure(let error): onEnd(error)
            }
        }
        return begin(listener, on: .init(isPattern: false, name: channel))
    }

    /// Closes the connection for good: listeners are told that it is lost and over, later subscriptions fail.
    package func close() async {
        try? await eventLoop.submit { self.core.value.close() }.get()
    }

    private func add(
        _ listener: SubscriptionListener, to topic: SubscriptionTable<SubscriptionListener>.Topic
    ) async throws(RedisError) -> RedisSubscription {
        // Begun before the confirmation: if that fails, the end of its life takes the listener away again.
        let subscription = begin(listener, on: topic)
        let confirmation = listener.confirmation
        try await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                confirmation.whenComplete { continuation.resume(returning: $0) }
            }
        } onCancel: {
            confirmation.complete(.failure(.cancelled()))
        }.get()
        return subscription
    }

    private func begin(
        _ listener: SubscriptionListener, on topic: SubscriptionTable<SubscriptionListener>.Topic
    ) -> RedisSubscription {
        let subscription = RedisSubscription(
            id: lastID.add(1, ordering: .relaxed).newValue, subscriber: self, confirmation: listener.confirmation)
        perform(.add(listener, id: subscription.id, topic: topic))
        return subscription
    }

    func perform(_ operation: Operation) {
        guard mailbox.leave(operation) else { return }
        eventLoop.execute { self.core.value.perform(self.mailbox.empty()) }
    }
}
