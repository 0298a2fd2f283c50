// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Logging
import Synchronization

/// The broker on a Redis server, shared with Celery's Python workers and clients.
///
/// It connects when it is first used, and again whenever the connection is lost.
public final class RedisBroker: InspectableBroker {
    /// The server's URL, without password.
    public let location: String

    /// How much one script moves or writes, or one round trip sends, in bytes, a message more or less: it keeps the server
    /// from all others, and the bytes in memory.
    static let batchBytes = 8 << 20

    package let url: RedisURL
    package let settings: RedisSettings
    package let keys: RedisKeys
    /// The connection for commands; many callers share it.
    package let client: RedisClient
    let subscriber: RedisSubscriber
    let options: RedisOptions
    let logger: Logger
    let executor: LoopExecutor
    /// The queues whose bindings were written over the present connection.
    private let bound = Mutex<Set<String>>([])

    /// Makes a broker of the server at `url`; nothing is opened yet.
    public init(_ url: RedisURL, settings: RedisSettings = RedisSettings(), logger: Logger? = nil) {
        self.url = url
        self.settings = settings
        self.logger = logger ?? Logger(label: "chard.redis")
        location = url.description
        keys = RedisKeys(prefix: settings.keyPrefix)
        var options = RedisOptions(clientName: "chard")
        options.commandTimeout = settings.commandTimeout
        options.logger = self.logger
        self.options = options
        client = RedisClient(url: url, options: options)
        subscriber = RedisSubscriber(url: url, options: options)
        executor = LoopExecutor(client.eventLoop)
        client.onStateChange { [weak self] state in
            // A server that came back empty has lost its bindings.
            if case .connected = state { self?.bound.withLock { $0 = [] } }
        }
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
            try await RedisConnection.connect(to: url, options: options, on: client.eventLoop).close()
        } catch {
            // A server that has just been restarted, or had its clients cut off, is there all the same.
            guard error.code == .closed, tries > 1 else { throw error }
            try await probe(tries: tries - 1)
        }
    }

    /// Closes all connections.
    public func shutdown() async {
        await subscriber.close()
        await client.close()
    }

    /// Sends messages in one round trip, where they are not too large for that: one LPUSH for each run of messages to the
    /// same list.
    public func send(_ messages: [OutgoingMessage]) async throws {
        var rest = messages[...]
        repeat {
            var bytes = 0
            let portion = rest.prefix { message in
                defer { bytes += message.payload.count }
                return bytes < Self.batchBytes
            }
            rest = rest.dropFirst(portion.count)
            try await sendAtOnce(portion)
        } while !rest.isEmpty
    }

    private func sendAtOnce(_ messages: ArraySlice<OutgoingMessage>) async throws {
        var commands = bindings(of: messages.lazy.map(\.queue))
        let now = Date()
        var push: (list: String, command: RedisCommand)?
        var schedule: RedisCommand?
        for message in messages {
            if let dueAt = message.dueAt, dueAt > now {
                var command = schedule ?? RedisScript.schedule.command(keys: [keys.due])
                command.append(contentsOf: [keys.scheduled(message.queue), keys.scheduledMessages(message.queue)])
                command.append(message.queue)
                command.append(dueAt.timeIntervalSince1970)
                command.append(message.id)
                command.append(message.scheduledEntry)
                schedule = command
                continue
            }
            let list = keys.waiting(message.queue, step: Priority.step(for: message.priority))
            if push?.list != list {
                if let push { commands.append(push.command) }
                push = (list, RedisCommand("LPUSH", list))
            }
            push?.command.append(message.payload)
        }
        if let push { commands.append(push.command) }
        if let schedule { commands.append(schedule) }
        let batch = commands
        for reply in try await translatingErrors({ () throws(RedisError) in try await client.pipeline(batch) }) {
            if let error = reply.error { throw BrokerError(error) }
        }
    }

    /// The commands that make queues known, to kombu and to Chard, once for each connection.
    func bindings(of queues: some Sequence<String>) -> [RedisCommand] {
        let fresh = bound.withLock { bound in queues.filter { bound.insert($0).inserted } }
        return fresh.flatMap { queue in
            [
                RedisCommand("SADD", keys.binding(queue), keys.bindingMember(queue)),
                RedisCommand("SADD", keys.permanentBinding(queue), keys.bindingMember(queue)),
                RedisCommand("ZADD", keys.queues, Date().timeIntervalSince1970, queue),
            ]
        }
    }

    /// Listens to a channel for as long as the returned value lives.
    func listen(
        to channel: String, _ onMessage: @escaping @Sendable (_ payload: [UInt8]) -> Void,
        whenSubscribed: @escaping @Sendable () -> Void
    ) -> LastingSubscription {
        LastingSubscription(
            to: channel, through: subscriber, logger: logger, onMessage: onMessage, whenSubscribed: whenSubscribed)
    }

    /// Opens a hold on the server under a fresh identity.
    public func consumer(for subscription: Subscription) async throws -> any Consumer {
        let consumer = RedisConsumer(broker: self, subscription: subscription)
        try await consumer.open()
        return consumer
    }
}

extension OutgoingMessage {
    /// The message behind the digit of its step of priority, as scheduled messages are kept.
    var scheduledEntry: [UInt8] {
        [UInt8(ascii: "0") + UInt8(Priority.step(for: priority))] + payload
    }
}

extension Duration {
    /// Whole milliseconds, at least 1.
    var milliseconds: Int { max(1, Int((self / .milliseconds(1)).rounded())) }
}
