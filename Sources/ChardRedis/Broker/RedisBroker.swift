// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Logging
import NIOCore

/// The broker on a Redis server, shared with Celery's Python workers and clients.
///
/// It connects when it is first used, and again whenever the connection is lost.
public final class RedisBroker: InspectableBroker, PoweredStore {
    /// The server's URL, without password.
    public let location: String

    let server: RedisAccess
    let sharing = SharingMemory()

    package var client: RedisClient { server.client }
    package var settings: RedisSettings { server.settings }
    package var keys: RedisKeys { server.keys }

    /// Makes a broker of the server at `url`; nothing is opened yet.
    ///
    /// - Parameters:
    ///   - url: The server.
    ///   - settings: Names, limits and times.
    ///   - eventLoopGroup: Whose event loop the connections are on: one of NIOPosix. By default a thread that all brokers of the
    ///     process share, and nothing else uses. Leases are renewed there: give only a group whose threads nobody blocks.
    ///   - logger: Where it says what goes wrong; by default, a logger named `chard.redis`.
    public convenience init(
        _ url: RedisURL, settings: RedisSettings = RedisSettings(), eventLoopGroup: (any EventLoopGroup)? = nil,
        logger: Logger? = nil
    ) {
        self.init(url, settings, nil, eventLoopGroup, logger)
    }

    /// Makes a broker whose user and password change while it runs, as the tokens of managed servers do.
    ///
    /// - Parameters:
    ///   - url: The server. What it says of user and password does not count.
    ///   - settings: Names, limits and times.
    ///   - credentials: Asked for each new connection, and again before what it gave lapses: then connections that live
    ///     authenticate anew, none is cut. While it throws, or does not answer within the time for a connection, the server
    ///     counts as one that cannot be reached.
    ///   - eventLoopGroup: Whose event loop the connections are on: one of NIOPosix.
    ///   - logger: Where it says what goes wrong; by default, a logger named `chard.redis`.
    public convenience init(
        _ url: RedisURL, settings: RedisSettings = RedisSettings(),
        credentials: @escaping @Sendable () async throws -> RedisCredentials,
        eventLoopGroup: (any EventLoopGroup)? = nil, logger: Logger? = nil
    ) {
        self.init(url, settings, CredentialSource(credentials), eventLoopGroup, logger)
    }

    private init(
        _ url: RedisURL, _ settings: RedisSettings, _ credentials: CredentialSource?,
        _ eventLoopGroup: (any EventLoopGroup)?, _ logger: Logger?
    ) {
        location = url.description
        server = RedisAccess(
            url, settings: settings, credentials: credentials,
            eventLoop: eventLoopGroup?.next() ?? RedisClient.sharedLoop,
            logger: logger ?? Logger(label: "chard.redis"))
    }

    /// Makes sure that the server answers: at once where it refuses, while a call on a broker in use waits a little for a
    /// server that may come back.
    public func connect() async throws {
        try await translatingErrors { () throws(RedisError) in
            // A connection that opens has been greeted by the server: nothing more is to be asked over it.
            if client.connectedSince == nil, await client.adopt(try await opened()) { return }
            try await client.connect()
        }
    }

    /// Opens a connection, for the sake of what goes wrong: the client's own would be tried again and again.
    private func opened(tries: Int = 3) async throws(RedisError) -> RedisConnection {
        do {
            return try await RedisConnection.connect(to: server.url, options: server.options, on: client.eventLoop)
        } catch {
            // A server that has just been restarted, or had its clients cut off, is there all the same.
            guard error.code == .closed, tries > 1 else { throw error }
            return try await opened(tries: tries - 1)
        }
    }

    /// Closes all connections.
    public func shutdown() async {
        await server.shutdown()
    }

    /// Sends messages in one round trip, where they are not too large for that: one LPUSH for each run of messages to the
    /// same list.
    @discardableResult
    public func send(_ messages: [OutgoingMessage]) async throws -> [Placement] {
        try await send(messages, over: client)
    }

    /// - Parameter durability: What is waited for behind each portion, on the same connection.
    func send(
        _ messages: [OutgoingMessage], over client: RedisClient, _ durability: Durability? = nil
    ) async throws -> [Placement] {
        var placements: [Placement] = []
        placements.reserveCapacity(messages.count)
        var rest = messages[...]
        repeat {
            var bytes = 0
            let portion = rest.prefix { message in
                defer { bytes += message.payload.count }
                return bytes < RedisAccess.batchBytes
            }
            rest = rest.dropFirst(portion.count)
            let now = Date()
            try await sendAtOnce(portion, now: now, over: client, durability)
            for message in portion { placements.append(Placement(of: message, at: now)) }
        } while !rest.isEmpty
        return placements
    }

    private func sendAtOnce(
        _ messages: ArraySlice<OutgoingMessage>, now: Date, over client: RedisClient, _ durability: Durability?
    ) async throws {
        let bindings = server.bindings(of: messages.lazy.map(\.queue))
        var commands = bindings
        var push: (list: String, command: RedisCommand)?
        var delayed: Effects = []
        for message in messages {
            if let dueAt = message.dueAt, dueAt > now {
                delayed.append(.push(message))
                continue
            }
            let list = keys.waiting(message.queue, step: keys.priorities.index(for: message.priority))
            if push?.list != list || push?.command.count == ScriptCall.most {
                if let push { commands.append(push.command) }
                let isFirst = push == nil
                push = (list, RedisCommand("LPUSH", list))
                // Nearly always there is but one: room for all, with the lengths and line ends around them.
                if isFirst {
                    push?.command.reserve(messages.indices.reduce(0) { $0 + messages[$1].payload.count + 16 })
                }
            }
            push?.command.append(message.payload)
        }
        if let push { commands.append(push.command) }
        if !delayed.isEmpty { commands += writing(delayed, now: now.timeIntervalSince1970) }
        if let durability {
            commands.append(RedisCommand("WAIT", durability.replicas, durability.patience.milliseconds))
        }
        let batch = commands
        let replies = try await translatingErrors { () throws(RedisError) in
            try await client.pipeline(batch, blockFor: durability?.patience)
        }
        var isBound = !bindings.isEmpty
        for (index, reply) in replies.enumerated() {
            guard let error = reply.error else { continue }
            // What somebody has put where queues are noted is in the way of the notes alone; workers put it aside.
            guard index < bindings.count, error.code == .wrongType else { throw BrokerError(error) }
            isBound = false
        }
        if isBound { server.noteBound(messages.lazy.map(\.queue)) }
        if let durability, case let reached = replies.last?.integer ?? 0, reached < durability.replicas {
            throw NotReplicated(ids: messages.map(\.id), reached: reached, wanted: durability.replicas)
        }
    }

    /// The commands that write effects without a fence: as many in one step as go into one call, all of one kind in each.
    func writing(_ effects: Effects, now: Double) -> [RedisCommand] {
        var commands: [RedisCommand] = []
        let most = ScriptCall.most / (effects.lazy.map(\.words).max() ?? 1)
        for start in stride(from: 0, to: effects.count, by: most) {
            var call = ScriptCall(.write)
            call.append("")
            call.append(
                Effects(effects[start..<min(start + most, effects.count)]), keys, settings, now: now)
            commands.append(call.command)
        }
        return commands
    }

    /// Opens a hold on the server under a fresh identity.
    public func consumer(for subscription: Subscription) async throws -> any Consumer {
        let consumer = RedisConsumer(server: server, subscription: subscription)
        try await consumer.open()
        return consumer
    }
}

extension RedisBroker: ThreadLendingBroker {
    package var controlExecutor: any ControlExecutor { server.executor }
}

extension RedisBroker: ReplicatedBroker {
    /// Sends messages and a `WAIT` behind them, on a connection that nothing else uses.
    public func send(_ messages: [OutgoingMessage], durability: Durability) async throws -> [Placement] {
        try await send(messages, over: server.waiting, durability)
    }
}

extension RedisBroker: ConnectedBroker {
    /// All connections of this broker's: for commands, for news, and the blocking pops.
    public var connections: ConnectionFigures {
        ConnectionFigures(open: server.options.count.open, reconnects: server.options.count.reconnects)
    }
}
