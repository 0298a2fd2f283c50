// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Synchronization

extension RedisBroker: ControllableBroker {
    /// Revokes tasks, a hundred at a time, each hundred in one step. What was delayed is taken away afterwards.
    @discardableResult
    public func revoke(
        _ ids: [String], terminating: Bool, timeToLive: Duration, statusLifetime: Duration
    ) async throws -> [String] {
        try await revoke(
            ids, terminating: terminating, timeToLive: timeToLive, statusLifetime: statusLifetime, onlyNew: false)
    }

    /// - Parameter onlyNew: Whether those are left out that are revoked already.
    func revoke(
        _ ids: [String], terminating: Bool, timeToLive: Duration, statusLifetime: Duration, onlyNew: Bool
    ) async throws -> [String] {
        guard !ids.isEmpty else { return [] }
        let portion = 100
        var removed: [String] = []
        for start in stride(from: 0, to: ids.count, by: portion) {
            let some = Array(ids[start..<min(start + portion, ids.count)])
            var revoke = RedisScript.revoke.command(
                keys: [keys.revoked, keys.orders, keys.orderLog, keys.news], terminating ? "1" : "0",
                max(1, Int(timeToLive.seconds)), onlyNew ? "1" : "0")
            revoke.append(contentsOf: some)
            // Afterwards: what becomes due in between is dropped by whoever claims it.
            removed += try await cancelDelayed(some, after: revoke, statusLifetime)
        }
        return removed
    }

    /// Takes the delayed messages of these tasks away, with the state REVOKED. Returns the ids of those that were there.
    private func cancelDelayed(
        _ ids: [String], after first: RedisCommand, _ statusLifetime: Duration
    ) async throws -> [String] {
        let statuses = ids.map { StatusRecord.revoked($0, at: Date(), timeToLive: statusLifetime) }
        let queues = try await queueNames()
        let portion = 200
        let commands = stride(from: 0, to: queues.count, by: portion).map { start in
            let some = queues[start..<min(start + portion, queues.count)]
            var call = ScriptCall(.cancelDelayed)
            for queue in some {
                call.append(key: keys.delayed(queue))
                call.append(key: keys.delayedMessages(queue))
            }
            call.append(some.count)
            for status in statuses {
                call.append(status.id)
                StoreEffect.append(fieldsOf: status, to: &call, keys)
            }
            return call.command
        }
        let replies = try await mending { try await server.ask([first] + commands).dropFirst() }
        let removed = Set(replies.flatMap { ($0.array ?? []).compactMap(\.text) })
        return ids.filter(removed.contains)
    }

    /// Whether a task is revoked.
    public func isRevoked(_ id: String) async throws -> Bool {
        let until = try await server.ask([RedisCommand("ZSCORE", keys.revoked, id)])[0].text.flatMap(Double.init)
        return until.map { $0 > Date().timeIntervalSince1970 } ?? false
    }

    /// Pauses a queue, and waits until every worker of it has said that it takes nothing any more: milliseconds, or a second where
    /// it was not told. One that does not answer at all is waited for no longer than five seconds.
    @discardableResult
    public func pause(_ queue: String) async throws -> Bool {
        let (isNew, number) = try await change("SADD", queue)
        try await waitUntilKept(number, by: queue)
        return isNew
    }

    /// Resumes a queue.
    @discardableResult
    public func resume(_ queue: String) async throws -> Bool {
        try await change("SREM", queue).isNew
    }

    private func change(_ verb: String, _ queue: String) async throws -> (isNew: Bool, number: Int) {
        let command = RedisScript.pause.command(
            keys: [keys.paused, keys.orders, keys.orderLog, keys.news], verb, queue)
        let reply = try await mending { try await server.ask([command])[0] }
        return (reply.array?.first?.integer == 1, reply.array?.last?.integer ?? 0)
    }

    /// Waits until those who serve a queue keep the orders up to this number, or are gone.
    private func waitUntilKept(_ number: Int, by queue: String) async throws {
        let deadline = ContinuousClock.now + .seconds(5)
        var wait = Duration.milliseconds(1)
        var left = Holder.read(try await server.ask([RedisCommand("HGETALL", keys.holders)])[0])
            .filter { $0.queues.contains(queue) }.map(\.identity)
        while !left.isEmpty, .now < deadline {
            let replies = try await server.ask(
                left.map { RedisCommand("HMGET", keys.heartbeat($0), "node", "orders") })
            left = zip(left, replies).compactMap { identity, reply in
                let fields = reply.array ?? []
                let isGone = fields.first?.isNull ?? true
                return isGone || fields.last?.orderNumber ?? 0 >= number ? nil : identity
            }
            guard !left.isEmpty else { return }
            try await Task.sleep(for: wait)
            wait = min(wait * 2, .milliseconds(100))
        }
    }
}

extension RedisBroker: SupervisedBroker {
    /// Gives back what a process held, without waiting for its lease.
    @discardableResult
    public func declareLost(
        _ identity: String, because cause: String?, lifetimes: StatusLifetimes
    ) async throws -> [StatusRecord] {
        let buried = Mutex<[StatusRecord]>([])
        try await translatingErrors { () throws(RedisError) in
            // Whatever the server takes: half a gigabyte.
            let recoverer = Recoverer(
                server: server, node: identity, identity: identity, messageLimit: 512 << 20, lifetimes: lifetimes
            ) { more in
                buried.withLock { $0 += more }
            }
            try await recoverer.declareLost(identity, because: cause)
        }
        return buried.withLock { $0 }
    }
}
