// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

/// Ends connections to a server that is the primary no more, once for all connections that are opened with the same options.
///
/// A server that is stopped, or cut off from the others, keeps its sockets and says nothing: that alone would be noticed
/// after eight seconds. So while there are connections to a primary that sentinels have named, a sentinel is asked twice a
/// second, over one connection. Unlike a subscription to `+switch-master`, a question shows by itself that the sentinel
/// lives, and misses nothing while the connection to it is opened anew.
final class PrimaryWatch: Sendable {
    private static let interval = TimeAmount.milliseconds(500)

    private struct Watched: Sendable {
        let channel: any Channel
        let address: RedisURL.Address
    }

    private struct State {
        var watched: [ObjectIdentifier: Watched] = [:]
        var isWatching = false
    }

    let finder = PrimaryFinder()
    private let state = Mutex(State())

    /// Watches a connection, also while it is being opened, until it is closed.
    func watch(_ channel: any Channel, at address: RedisURL.Address, _ sentinels: Sentinels, clientName: String?) {
        let id = ObjectIdentifier(channel)
        let isFirst = state.withLock { state in
            state.watched[id] = Watched(channel: channel, address: address)
            defer { state.isWatching = true }
            return !state.isWatching
        }
        channel.closeFuture.whenComplete { _ in self.state.withLock { _ = $0.watched.removeValue(forKey: id) } }
        if isFirst { begin(sentinels, clientName, on: channel.eventLoop) }
    }

    private func begin(_ sentinels: Sentinels, _ clientName: String?, on eventLoop: any EventLoop) {
        eventLoop.scheduleRepeatedAsyncTask(initialDelay: Self.interval, delay: Self.interval) { task in
            guard self.goesOn() else {
                task.cancel()
                self.finder.hangUp()
                return eventLoop.makeSucceededVoidFuture()
            }
            return self.finder.find(sentinels, clientName: clientName, on: eventLoop)
                .map { self.end(othersThan: $0) }
                // Without a sentinel nothing is known against the server.
                .recover { _ in }
        }
    }

    private func goesOn() -> Bool {
        state.withLock { state in
            state.isWatching = !state.watched.isEmpty
            return state.isWatching
        }
    }

    private func end(othersThan finding: PrimaryFinder.Finding) {
        let others = state.withLock { $0.watched.values.filter { $0.address != finding.address } }
        for other in others {
            let error = RedisError(code: .unreachable, message: "\(finding.words) now, no more \(other.address.text)")
            other.channel.pipeline.fireErrorCaught(error)
        }
    }
}
