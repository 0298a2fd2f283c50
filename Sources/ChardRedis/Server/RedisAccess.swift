// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Logging
import NIOCore
import Synchronization

/// A Redis server as a broker and its consumers use it: the connections to it, its keys, and what they go by.
///
/// It connects when it is first used, and again whenever the connection is lost.
final class RedisAccess: Sendable {
    /// How much one script moves or writes, or one round trip sends, in bytes, a message more or less: it keeps the server
    /// from all others, and the bytes in memory.
    static let batchBytes = 8 << 20
    /// For how many seconds a queue is listed that is empty and that nobody uses.
    static let listed: TimeInterval = 30 * 86_400

    let url: RedisURL
    let settings: RedisSettings
    let keys: RedisKeys
    let options: RedisOptions
    /// The connection for commands; many callers share it.
    let client: RedisClient
    /// The connection on which it is waited for replicas: leases are not renewed on it.
    let waiting: RedisClient
    let subscriber: RedisSubscriber
    let logger: Logger
    let executor: LoopExecutor
    let history: RedisHistory
    /// The queues whose bindings were written over the present connection.
    private let bound = Mutex<[String: ContinuousClock.Instant]>([:])
    /// Until when it is not looked again into refusals of a kind, nor the same said again.
    let looks = Mutex<[String: ContinuousClock.Instant]>([:])

    init(
        _ url: RedisURL, settings: RedisSettings, credentials: CredentialSource?, eventLoop: any EventLoop,
        logger: Logger
    ) {
        self.url = url
        self.settings = settings
        self.logger = logger
        keys = RedisKeys(prefix: settings.keyPrefix, priorities: url.priorities ?? settings.priorities)
        var options = RedisOptions(clientName: "chard")
        options.commandTimeout = settings.commandTimeout
        options.logger = logger
        options.credentials = credentials
        self.options = options
        client = RedisClient(url: url, options: options, eventLoop: eventLoop)
        waiting = RedisClient(url: url, options: options, eventLoop: eventLoop)
        subscriber = RedisSubscriber(url: url, options: options, eventLoop: eventLoop)
        executor = LoopExecutor(client.eventLoop)
        history = RedisHistory(client, keys, settings.history)
        client.onStateChange { [weak self] state in
            // A server that came back empty has lost its bindings.
            if case .connected = state { self?.bound.withLock { $0 = [:] } }
        }
    }

    /// Closes all connections.
    func shutdown() async {
        await subscriber.close()
        await waiting.close()
        await client.close()
    }

    /// Sends commands, and throws the first error among the replies.
    func ask(_ commands: [RedisCommand]) async throws -> [RESPValue] {
        try await translatingErrors { () throws(RedisError) in
            let replies = try await client.pipeline(commands)
            for reply in replies { _ = try reply.get() }
            return replies
        }
    }

    /// The secret by which counted losses are believed, made where there is none. Where it cannot be kept, it is only this
    /// caller's.
    ///
    /// - Parameter worker: Who puts aside what stands in its place.
    func seal(for worker: String) async throws(RedisError) -> LossSeal {
        let offered = LossSeal.random()
        let replies = try await client.pipeline(sealing(with: offered))
        return seal(by: replies[...], offered, for: worker)
    }

    /// The commands that ask for the secret, or keep this one.
    func sealing(with offered: LossSeal) -> [RedisCommand] {
        [RedisCommand("SET", keys.seal, offered.secret, "NX"), RedisCommand("GET", keys.seal)]
    }

    /// The secret, by the replies to these commands.
    func seal(by replies: ArraySlice<RESPValue>, _ offered: LossSeal, for worker: String) -> LossSeal {
        if let seal = replies.last?.bytes.flatMap(LossSeal.init) { return seal }
        if let error = replies.last?.error { look(into: error, of: [], by: worker) }
        logger.warning("losses are not counted across workers", metadata: ["key": "\(keys.seal)"])
        return offered
    }

    /// The commands that make queues known, to kombu and to Chard, once for each connection and day. Once they were carried out,
    /// that is to be noted.
    func bindings(of queues: some Sequence<String>) -> [RedisCommand] {
        unbound(queues).flatMap { queue in
            [
                RedisCommand("SADD", keys.binding(queue), keys.bindingMember(queue)),
                RedisCommand("SADD", keys.permanentBinding(queue), keys.bindingMember(queue)),
                RedisCommand("ZADD", keys.queues, Date().timeIntervalSince1970, queue),
            ]
        }
    }

    private func unbound(_ queues: some Sequence<String>) -> Set<String> {
        let now = ContinuousClock.now
        return bound.withLock { bound in
            queues.reduce(into: []) { unbound, queue in
                if let since = bound[queue], now - since < .seconds(86_400) { return }
                unbound.insert(queue)
            }
        }
    }

    /// Notes that what makes these queues known was written.
    func noteBound(_ queues: some Sequence<String>) {
        let fresh = unbound(queues)
        bound.withLock { bound in for queue in fresh { bound[queue] = .now } }
    }

    /// Listens to a channel for as long as the returned value lives.
    func listen(
        to channel: String, _ onMessage: @escaping @Sendable (_ payload: [UInt8]) -> Void,
        whenSubscribed: @escaping @Sendable () -> Void
    ) -> LastingSubscription {
        LastingSubscription(
            to: channel, through: subscriber, logger: logger, onMessage: onMessage, whenSubscribed: whenSubscribed)
    }
}
