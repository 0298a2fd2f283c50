// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension SQLiteBroker: ControllableBroker {
    /// Revokes tasks, in one step for all of them.
    @discardableResult
    public func revoke(
        _ ids: [String], terminating: Bool, timeToLive: Duration, statusLifetime: Duration
    ) async throws -> [String] {
        guard !ids.isEmpty else { return [] }
        return try await engine.write(durably: true) { transaction in
            try transaction.revoke(
                ids, terminating: terminating, timeToLive: timeToLive, statusLifetime: statusLifetime)
        }
    }

    /// Whether a task is revoked.
    public func isRevoked(_ id: String) async throws -> Bool {
        let now = Date().timeIntervalSince1970
        return try await engine.read { db in
            try db.exists("SELECT 1 FROM revoked WHERE id = ? AND until > ?", id, now)
        }
    }

    /// Pauses a queue.
    @discardableResult
    public func pause(_ queue: String) async throws -> Bool {
        try await engine.write(durably: true) { transaction in try transaction.setPaused(true, queue) }
    }

    /// Resumes a queue.
    @discardableResult
    public func resume(_ queue: String) async throws -> Bool {
        try await engine.write(durably: true) { transaction in try transaction.setPaused(false, queue) }
    }
}

extension SQLiteBroker: SupervisedBroker {
    /// Gives back what a process held, without waiting for its lease.
    @discardableResult
    public func declareLost(
        _ identity: String, because cause: String?, lifetimes: StatusLifetimes
    ) async throws -> [StatusRecord] {
        try await engine.write(durably: true) { transaction in
            guard let holder = try transaction.holder(of: identity) else { return [] }
            return try transaction.recover(holder, silentSince: nil, because: cause, lifetimes: lifetimes).buried
        }
    }
}
