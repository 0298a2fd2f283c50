// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Synchronization

extension RedisBroker: ControllableBroker {
    /// Revokes tasks, in one step for all of them.
    @discardableResult
    public func revoke(_ ids: [String], terminating: Bool, timeToLive: Duration) async throws -> [String] {
        guard !ids.isEmpty else { return [] }
        let queues = try await queues().map(\.queue)
        var script = RedisScript.revoke.command(
            keys: [keys.revoked, keys.orders]
                + queues.flatMap { [keys.scheduled($0), keys.scheduledMessages($0)] },
            terminating ? "1" : "0", max(1, Int(timeToLive.seconds)))
        for id in ids {
            script.append(id)
            script.append(StatusRecord.revoked(id, at: Date()), keys: keys)
        }
        let command = script
        let reply = try await translatingErrors { () throws(RedisError) in try await client.send(command) }
        return (reply.array ?? []).compactMap(\.text)
    }

    /// Pauses a queue.
    @discardableResult
    public func pause(_ queue: String) async throws -> Bool {
        try await change("SADD", queue)
    }

    /// Resumes a queue.
    @discardableResult
    public func resume(_ queue: String) async throws -> Bool {
        try await change("SREM", queue)
    }

    private func change(_ verb: String, _ queue: String) async throws -> Bool {
        try await translatingErrors { () throws(RedisError) in
            try await client.run(RedisScript.pause, keys: [keys.paused, keys.orders], verb, queue)
        }.integer == 1
    }
}

extension RedisBroker: SupervisedBroker {
    /// Gives back what a process held, without waiting for its lease.
    @discardableResult
    public func declareLost(_ identity: String) async throws -> [StatusRecord] {
        let buried = Mutex<[StatusRecord]>([])
        try await translatingErrors { () throws(RedisError) in
            // Whatever the server takes: half a gigabyte.
            let recoverer = Recoverer(broker: self, node: identity, identity: identity, messageLimit: 512 << 20) {
                more in
                buried.withLock { $0 += more }
            }
            try await recoverer.declareLost(identity)
        }
        return buried.withLock { $0 }
    }
}
