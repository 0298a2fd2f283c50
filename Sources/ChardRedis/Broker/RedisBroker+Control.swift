// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension RedisBroker: ControllableBroker {
    /// Revokes tasks, in one step for all of them.
    public func revoke(_ ids: [String], terminating: Bool, timeToLive: Duration) async throws {
        guard !ids.isEmpty else { return }
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
        _ = try await translatingErrors { () throws(RedisError) in try await client.send(command) }
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
    public func declareLost(_ identity: String) async throws {
        try await translatingErrors { () throws(RedisError) in
            try await Recoverer(broker: self, node: identity, identity: identity).declareLost(identity)
        }
    }
}
