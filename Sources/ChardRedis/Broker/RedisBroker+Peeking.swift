// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension RedisBroker: PeekableBroker {
    /// What waits in a queue.
    public func waitingMessages(
        in queue: String, from first: Int, limit: Int, messageLimit: Int
    ) async throws -> [PeekedMessage] {
        var places = keys.steps.indices.flatMap { step in
            [keys.ripe(queue, step: step), keys.waiting(queue, step: step)].map {
                Place(key: $0, priority: keys.steps[step])
            }
        }
        if first > 0 {
            let counts = try await server.ask(places.map { RedisCommand("LLEN", $0.key) })
            var rest = first
            for index in places.indices {
                places[index].passing = min(rest, counts[index].integer ?? 0)
                rest -= places[index].passing
            }
            guard rest == 0 else { return [] }
        }
        return try await peek(at: places, of: queue, limit: limit, messageLimit: messageLimit)
    }

    /// What processes hold of a queue.
    public func leasedMessages(in queue: String, limit: Int, messageLimit: Int) async throws -> [PeekedMessage] {
        let holders = Holder.read(try await server.ask([RedisCommand("HGETALL", keys.holders)])[0])
            .filter { $0.queues.contains(queue) }.sorted { $0.identity < $1.identity }
        let places = holders.flatMap { holder in
            let keys = holder.keys(like: keys)
            return keys.steps.enumerated().map { step, least in
                Place(
                    key: keys.leased(holder.identity, keys.waiting(queue, step: step)), priority: least,
                    holder: holder.identity)
            }
        }
        return try await peek(at: places, of: queue, limit: limit, messageLimit: messageLimit)
    }

    /// A list of messages, and what stands in none of them.
    private struct Place {
        var key: String
        var priority: Int
        var holder: String?
        /// How many messages to pass over.
        var passing = 0
    }

    private func peek(
        at places: [Place], of queue: String, limit: Int, messageLimit: Int
    ) async throws -> [PeekedMessage] {
        guard limit > 0, !places.isEmpty else { return [] }
        let replies = try await looking(
            places.map { RedisScript.peek.command(keys: [$0.key], limit, messageLimit, $0.passing) })
        for reply in replies { if let error = reply.error { throw BrokerError(error) } }
        return Array(
            zip(places, replies).lazy.flatMap { place, reply in
                (reply.array ?? []).compactMap(HeldMessage.init).map { message in
                    PeekedMessage(
                        queue: queue, priority: place.priority, payload: message.payload,
                        excerptOf: message.excerptOf, holder: place.holder)
                }
            }.prefix(limit))
    }

    /// Sends commands, some of which peek. Where scripts are not to be had, at a proxy or for want of the right, the messages are
    /// read whole.
    func looking(_ commands: [RedisCommand]) async throws -> [RESPValue] {
        try await translatingErrors { () throws(RedisError) in
            var replies = try await client.pipeline(commands)
            let refused = replies.indices.filter { index in
                commands[index].script == .peek && replies[index].error?.isForWantOfCommand == true
            }
            guard !refused.isEmpty else { return replies }
            let whole = try await client.pipeline(
                refused.map {
                    let limit = commands[$0].word(4).flatMap { Int($0) } ?? 1
                    let passing = commands[$0].word(6).flatMap { Int($0) } ?? 0
                    return RedisCommand("LRANGE", commands[$0].word(3) ?? "", -limit - passing, -1 - passing)
                })
            for (index, reply) in zip(refused, whole) {
                replies[index] = reply.array.map { .array($0.reversed()) } ?? reply
            }
            return replies
        }
    }
}
