// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import NIOCore
import Synchronization

/// One connection that listens to channels, opened anew and subscribed again whenever it is lost.
///
/// Messages published while there is no connection are lost: listeners are told when the server listens for them again, and
/// whatever may have been missed should be read another way. They are also told when the server refuses. Callbacks run on the
/// event loop, in the order of the server; they must not block.
package final class RedisSubscriber: Sendable {
    enum Operation: Sendable {
        case add(SubscriptionListener, id: Int, channel: String)
        case remove(id: Int)
    }

    package let eventLoop: any EventLoop
    private let core: NIOLoopBoundBox<RedisSubscriberCore>
    private let inbox = LoopInbox<Operation>()
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
            onMessage: onMessage, onResubscribed: whenSubscribed, onEnd: onEnd)
        listener.confirmation.whenGiven { result in
            switch result {
            case .success: whenSubscribed()
            case .failure(let error) where error.code == .cancelled: break
            case .failure(let error): onEnd(error)
            }
        }
        let subscription = RedisSubscription(
            id: lastID.add(1, ordering: .relaxed).newValue, subscriber: self, confirmation: listener.confirmation)
        perform(.add(listener, id: subscription.id, channel: channel))
        return subscription
    }

    /// Closes the connection for good: listeners are told that it is over, later subscriptions fail.
    package func close() async {
        try? await eventLoop.submit { self.core.value.close() }.get()
    }

    func perform(_ operation: Operation) {
        guard inbox.leave(operation) else { return }
        eventLoop.execute { self.core.value.perform(self.inbox.empty()) }
    }
}
