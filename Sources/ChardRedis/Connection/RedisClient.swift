// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import Synchronization

/// A Redis server's name and a connection that is opened anew whenever it is lost; many callers share it.
///
/// It connects when it is first used. While there is no connection, callers wait for
/// ``RedisOptions/commandTimeout``, then fail with the reason; a reason that waiting can't cure, such as a wrong
/// password, fails them at once. Commands that were written when the connection ended are not repeated, since the
/// server may have carried them out: they fail with ``RedisError/Code/closed``.
package final class RedisClient: RedisSender {
    /// A change of the connection, as observers see it.
    package enum State: Sendable {
        /// A connection was opened: the first, the second, and so on.
        case connected(generation: Int)
        /// There is no connection, for this reason; told after a loss and after every failed attempt.
        case disconnected(RedisError)
    }

    /// One thread for all connections that are given no event loop of their own.
    package static let sharedGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    package static var sharedLoop: any EventLoop { sharedGroup.next() }

    package let url: RedisURL
    package let eventLoop: any EventLoop
    private let core: NIOLoopBoundBox<RedisClientCore>
    private let outbox: Outbox
    private let presence: ConnectionPresence

    /// Makes a client; nothing is opened yet.
    ///
    /// - Parameter jitter: Draws where each wait between attempts falls in its range, from 0 to 1.
    package init(
        url: RedisURL, options: RedisOptions = RedisOptions(), eventLoop: any EventLoop = RedisClient.sharedLoop,
        jitter: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
    ) {
        self.url = url
        self.eventLoop = eventLoop
        let presence = ConnectionPresence()
        let outbox = Outbox()
        self.presence = presence
        self.outbox = outbox
        let reconnector = Reconnector(url: url, options: options, eventLoop: eventLoop, jitter: jitter)
        core = NIOLoopBoundBox.makeBoxSendingValue(
            RedisClientCore(reconnector, presence: presence, outbox: outbox), eventLoop: eventLoop)
    }

    package func submit(_ batch: RedisBatch) {
        // What is submitted on the event loop itself is flushed together with what follows it there.
        guard outbox.leave(batch, mayWrite: !eventLoop.inEventLoop) else { return }
        eventLoop.execute { self.core.value.send(self.outbox.empty()) }
    }

    package func giveUp(_ batch: RedisBatch) {
        eventLoop.execute { self.core.value.giveUp(batch) }
    }

    /// Waits until the server answers; throws why it does not.
    package func connect() async throws(RedisError) {
        _ = try await pipeline([RedisCommand("PING")])
    }

    /// Uses a connection that was just opened on ``eventLoop``, if there is none. Returns whether that is so; else it is closed.
    func adopt(_ connection: RedisConnection) async -> Bool {
        (try? await eventLoop.submit { self.core.value.adopt(connection) }.get()) ?? false
    }

    /// Since when the connection has been unbroken, on the clock that also counts while the machine sleeps; nil while
    /// there is none. May be read from any thread.
    package var connectedSince: ContinuousClock.Instant? { presence.connectedSince }

    /// Calls `observer` on ``eventLoop`` at each change; observers stay as long as the client.
    package func onStateChange(_ observer: @escaping @Sendable (State) -> Void) {
        presence.add(observer)
    }

    /// Closes the connection for good; waiting callers and later ones fail with ``RedisError/Code/closed``.
    package func close() async {
        try? await eventLoop.submit { self.core.value.close() }.get()
    }
}
