// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Logging
import NIOCore
import Synchronization

/// Listens to a channel for as long as it lives: where that ends, because the server refuses it for a while, it begins anew.
final class LastingSubscription: Sendable {
    private let subscriber: RedisSubscriber
    private let channel: String
    private let onMessage: @Sendable (_ payload: [UInt8]) -> Void
    private let whenSubscribed: @Sendable () -> Void
    private let logger: Logger
    private let current = Mutex<RedisSubscription?>(nil)
    private let first = FirstAnswer<Void, RedisError>()

    /// - Parameter whenSubscribed: Told when the server has begun to listen for us, each time: whatever may have been missed
    ///   before should be read another way.
    init(
        to channel: String, through subscriber: RedisSubscriber, logger: Logger,
        onMessage: @escaping @Sendable (_ payload: [UInt8]) -> Void, whenSubscribed: @escaping @Sendable () -> Void
    ) {
        self.subscriber = subscriber
        self.channel = channel
        self.onMessage = onMessage
        self.whenSubscribed = whenSubscribed
        self.logger = logger
        listen()
    }

    /// Waits for the server's first word, that it listens for us or why it does not.
    func confirmed() async throws(RedisError) {
        try await withCheckedContinuation { continuation in
            first.whenGiven { continuation.resume(returning: $0) }
        }.get()
    }

    private func listen() {
        let subscription = subscriber.listen(
            to: channel, onMessage: onMessage,
            whenSubscribed: { [first, whenSubscribed] in
                first.give(.success(()))
                whenSubscribed()
            }
        ) { [weak self] in self?.ended($0) }
        current.withLock { $0 = subscription }
    }

    private func ended(_ error: RedisError) {
        first.give(.failure(error))
        logger.debug("not subscribed", metadata: ["channel": "\(channel)", "error": "\(error)"])
        guard error.code != .shutDown else { return }
        subscriber.eventLoop.scheduleTask(in: .seconds(1)) { [weak self] in self?.listen() }
    }
}
