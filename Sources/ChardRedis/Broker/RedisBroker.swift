// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Logging
import NIOCore

/// The broker on a Redis server, shared with Celery's Python workers and clients.
///
/// It connects when it is first used, and again whenever the connection is lost.
public final class RedisBroker: InspectableBroker {
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
    public init(
        _ url: RedisURL, settings: RedisSettings = RedisSettings(), eventLoopGroup: (any EventLoopGroup)? = nil,
        logger: Logger? = nil
    ) {
        location = url.description
        server = RedisAccess(
            url, settings: settings, eventLoop: eventLoopGroup?.next() ?? RedisClient.sharedLoop,
            logger: logger ?? Logger(label: "chard.redis"))
    }

    /// Makes sure that the server answers: at once where it refuses, while a call on a broker in use waits a little for a
    /// server that may come back.
    public func connect() async throws {
        try await translatingErrors { () throws(RedisError) in
            if client.connectedSince == nil { try await probe() }
            try await client.connect()
        }
    }

    /// Opens a connection and closes it again, for the sake of what goes wrong.
    private func probe(tries: Int = 3) async throws(RedisError) {
        do {
            try await RedisConnection.connect(to: server.url, options: server.options, on: client.eventLoop).close()
        } catch {
            // A server that has just been restarted, or had its clients cut off, is there all the same.
            guard error.code == .closed, tries > 1 else { throw error }
            try await probe(tries: tries - 1)
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
            try await sendAtOnce(portion, now: now)
            for message in portion { placements.append(Placement(of: message, at: now)) }
        } while !rest.isEmpty
        return placements
    }

    private func sendAtOnce(_ messages: ArraySlice<OutgoingMessage>, now: Date) async throws {
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
                push = (list, RedisCommand("LPUSH", list))
            }
            push?.command.append(message.payload)
        }
        if let push { commands.append(push.command) }
        if !delayed.isEmpty { commands += writing(delayed, now: now.timeIntervalSince1970) }
        let batch = commands
        let replies = try await translatingErrors { () throws(RedisError) in try await client.pipeline(batch) }
        var isBound = !bindings.isEmpty
        for (index, reply) in replies.enumerated() {
            guard let error = reply.error else { continue }
            // What somebody has put where queues are noted is in the way of the notes alone; workers put it aside.
            guard index < bindings.count, error.code == .wrongType else { throw BrokerError(error) }
            isBound = false
        }
        if isBound { server.noteBound(messages.lazy.map(\.queue)) }
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

extension RedisBroker: ConnectedBroker {
    /// All connections of this broker's: for commands, for news, and the blocking pops.
    public var connections: ConnectionFigures {
        ConnectionFigures(open: server.options.count.open, reconnects: server.options.count.reconnects)
    }
}
