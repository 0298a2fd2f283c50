// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import NIOCore

extension RedisBroker: MailboxBroker {
    /// For how long an answer waits to be fetched, as long as kombu keeps a caller's queue.
    private static let replyLifetime: Duration = .seconds(10)

    package var address: [String: JSON] {
        var address: [String: JSON] = [
            "transport": server.url.sentinels == nil ? "redis" : "sentinel",
            "virtual_host": .string("\(server.url.database)"),
            "ssl": .bool(server.url.tls != nil),
            "userid": nil, "login_method": nil, "uri_prefix": nil, "heartbeat": 0, "insist": false,
            "connect_timeout": 4, "transport_options": [:], "failover_strategy": "round-robin", "alternates": [],
        ]
        switch server.url.address {
        case .tcp(let host, let port):
            address["hostname"] = .string(host)
            address["port"] = .integer(port)
        case .unix(let path):
            address["hostname"] = .string(path)
            address["port"] = nil
        }
        return address
    }

    /// Listens over the connection by which workers are told of orders.
    package func requests(_ onRequest: @escaping @Sendable (_ payload: [UInt8]) -> Void) -> any Sendable & AnyObject {
        server.listen(to: keys.channel(ControlRequest.exchange, database: server.url.database), onRequest) {}
    }

    package func answer(_ reply: ControlReply, to place: ControlRequest.ReplyPlace, clock: Int) async throws {
        let queue = "\(place.routingKey).\(place.exchange)"
        let answer = RedisScript.answer.command(
            keys: [keys.binding(place.exchange), keys.waiting(queue)],
            keys.bindingMember(queue, routingKey: place.routingKey), reply.encoded(for: place, clock: clock),
            Self.replyLifetime.milliseconds)
        _ = try await server.ask([answer])
    }

    /// Waits on a connection of its own, as the server keeps a caller waiting who takes from a list that is empty.
    package func ask(
        _ request: ControlRequest, for patience: Duration, expecting count: Int?
    ) async throws -> [ControlReply] {
        let place = ControlRequest.ReplyPlace(
            exchange: ControlRequest.replyExchange, routingKey: TaskID.random(), ticket: TaskID.random())
        let queue = "\(place.routingKey).\(place.exchange)"
        let member = keys.bindingMember(queue, routingKey: place.routingKey)
        var request = request
        request.replyTo = place
        let now = Date().timeIntervalSince1970
        let connection = try await translatingErrors { () throws(RedisError) in
            try await RedisConnection.connect(to: server.url, options: server.options, on: client.eventLoop)
        }
        // As kombu's callers do: whoever ends without tidying up is swept away by others within the hour.
        _ = try await server.ask([
            RedisCommand("SADD", keys.binding(place.exchange), member),
            RedisCommand(
                "ZADD", keys.bindingDeadlines, "GT", Int(now * 1_000) + 3_600_000, place.exchange),
            publish(request, expires: now + patience.seconds),
        ])
        let replies: Result<[ControlReply], any Error>
        do {
            replies = .success(try await fetch(keys.waiting(queue), over: connection, for: patience, count))
        } catch {
            replies = .failure(error)
        }
        for command in [
            RedisCommand("SREM", keys.binding(place.exchange), member), RedisCommand("DEL", keys.waiting(queue)),
        ] { _ = try? await client.sendWhatever(command) }
        await connection.close()
        return try replies.get()
    }

    private func fetch(
        _ list: String, over connection: RedisConnection, for patience: Duration, _ count: Int?
    ) async throws -> [ControlReply] {
        let deadline = ContinuousClock.now + patience
        var replies: [ControlReply] = []
        while replies.count < count ?? .max, case let left = deadline - .now, left > .zero {
            let command = RedisCommand("BRPOP", list, left.seconds)
            let reply = try await translatingErrors { () throws(RedisError) in
                try await connection.send(command, blockFor: left)
            }
            guard let message = reply.array?.last?.bytes else { break }
            // Whoever answers what cannot be read has not answered.
            if let message = try? KombuMessage(decoding: message) { replies += ControlReply.read(message) }
        }
        return replies
    }

    package func publish(_ events: [UInt8], _ routingKey: String, from node: String) async throws {
        let message = KombuMessage.encode(
            events, headers: ["hostname": .string(node)], exchange: WorkerEvent.exchange, routingKey: routingKey)
        let channel = keys.channel(WorkerEvent.exchange, routingKey, database: server.url.database)
        _ = try await server.ask([RedisCommand("PUBLISH", channel, message)])
    }

    package func events(
        _ onEvents: @escaping @Sendable (_ payload: [UInt8]) -> Void
    ) async throws -> any Sendable & AnyObject {
        let subscriptions = WorkerEvent.routingKeys.map { key in
            server.listen(
                to: keys.channel(WorkerEvent.exchange, key, database: server.url.database), onEvents, whenSubscribed: {}
            )
        }
        for subscription in subscriptions {
            try await translatingErrors { () throws(RedisError) in try await subscription.confirmed() }
        }
        return EventSubscription(subscriptions)
    }

    /// Listens to all of Celery's channels of events for as long as it lives.
    private final class EventSubscription: Sendable {
        private let subscriptions: [LastingSubscription]

        init(_ subscriptions: [LastingSubscription]) {
            self.subscriptions = subscriptions
        }
    }

    package func tell(_ request: ControlRequest) async throws {
        _ = try await server.ask([publish(request, expires: 0)])
    }

    private func publish(_ request: ControlRequest, expires: Double) -> RedisCommand {
        RedisCommand(
            "PUBLISH", keys.channel(ControlRequest.exchange, database: server.url.database),
            request.encoded(expires: expires))
    }

    package func revokeIfNew(
        _ ids: [String], terminating: Bool, timeToLive: Duration, statusLifetime: Duration
    ) async throws -> [String] {
        try await revoke(
            ids, terminating: terminating, timeToLive: timeToLive, statusLifetime: statusLifetime, onlyNew: true)
    }

    package func revokedTasks(limit: Int) async throws -> [String] {
        let reply = try await server.ask([
            RedisCommand(
                "ZRANGE", keys.revoked, "+inf", Date().timeIntervalSince1970, "BYSCORE", "REV", "LIMIT", 0, limit)
        ])
        return (reply[0].array ?? []).compactMap(\.text)
    }
}
