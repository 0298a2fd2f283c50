// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// One socket to a Redis server, on which many callers' commands travel in one pipeline.
///
/// It is never reopened: when it ends, whoever waits fails, and so does everything that is sent later. It also ends when
/// nobody holds it any more.
package final class RedisConnection: RedisSender {
    package let url: RedisURL
    package let eventLoop: any EventLoop
    /// The connection's number on the server, as `CLIENT UNBLOCK` takes it; nil if the server does not tell.
    package let clientID: Int?

    private let channel: any Channel
    /// The handler, for what runs on the event loop.
    let handler: NIOLoopBound<ConnectionHandler>
    private let inbox = LoopInbox<RedisBatch>()

    init(url: RedisURL, channel: any Channel, handler: ConnectionHandler, clientID: Int?) {
        self.url = url
        self.channel = channel
        self.clientID = clientID
        eventLoop = channel.eventLoop
        self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
    }

    deinit {
        channel.close(promise: nil)
    }

    /// Opens a connection, within ``RedisOptions/connectTimeout``.
    package static func connect(
        to url: RedisURL, options: RedisOptions = RedisOptions(), on eventLoop: any EventLoop = RedisClient.sharedLoop
    ) async throws(RedisError) -> RedisConnection {
        do {
            return try await open(to: url, options: options, on: eventLoop).get()
        } catch {
            throw RedisError(connectionTo: url.peer, failed: error)
        }
    }

    /// Opens a connection; the future fails with a ``RedisError``.
    package static func open(
        to url: RedisURL, options: RedisOptions = RedisOptions(), on eventLoop: any EventLoop = RedisClient.sharedLoop
    ) -> EventLoopFuture<RedisConnection> {
        ConnectionOpener.open(to: url, options: options, on: eventLoop)
    }

    package func submit(_ batch: RedisBatch) {
        guard inbox.leave(batch) else { return }
        eventLoop.execute {
            let handler = self.handler.value
            for batch in self.inbox.empty() { handler.write(batch) }
            handler.flush()
        }
    }

    package func giveUp(_ batch: RedisBatch) {
        eventLoop.execute { self.handler.value.giveUp(batch) }
    }

    /// Completes when the socket is closed, whoever closed it.
    package var closeFuture: EventLoopFuture<Void> { channel.closeFuture }

    /// Closes the socket and fails whoever waits with ``RedisError/Code/closed``.
    package func close() async {
        eventLoop.execute { self.closeAtOnce() }
        try? await closeFuture.get()
    }

    /// The same, for what runs on the event loop: nothing that is sent over another connection afterwards comes first.
    func closeAtOnce() {
        handler.value.close(.closedHere(url))
    }
}

extension RedisError {
    /// The end of a connection that this program wanted.
    static func closedHere(_ url: RedisURL) -> RedisError {
        RedisError(code: .shutDown, message: "the connection to \(url.peer) was closed by this program")
    }
}
