// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A broker that keeps the operator's orders: revocations and paused queues. They outlive every worker, and hold for
/// those that are down when they are given.
public protocol ControllableBroker: Broker {
    /// Revokes tasks: a worker that claims one drops it, with the state REVOKED; one that is delayed is removed at once.
    ///
    /// - Parameters:
    ///   - ids: The tasks.
    ///   - terminating: Whether runs under way are cancelled too.
    ///   - timeToLive: How long the broker remembers. A message that waits for longer would run.
    ///   - statusLifetime: How long it keeps the state REVOKED of those that were delayed.
    /// - Returns: The ids of those that were delayed: no worker will see them any more, and the broker has stored REVOKED.
    @discardableResult
    func revoke(
        _ ids: [String], terminating: Bool, timeToLive: Duration, statusLifetime: Duration
    ) async throws -> [String]

    /// Lets no worker take from `queue` until ``resume(_:)``. What was taken before goes on. Once this has returned, no worker
    /// that can be reached takes anything. Returns whether that is new.
    @discardableResult
    func pause(_ queue: String) async throws -> Bool

    /// Lets workers take from `queue` again. Returns whether it was paused.
    @discardableResult
    func resume(_ queue: String) async throws -> Bool

    /// Whether a task is revoked.
    func isRevoked(_ id: String) async throws -> Bool
}

/// A broker that can be told of a process's end, by whoever saw it, so that nobody has to wait for the lease.
public protocol SupervisedBroker: Broker {
    /// Gives back at once what the process of this identity held, each loss counted. Only for processes that are gone.
    /// - Parameters:
    ///   - identity: The process.
    ///   - cause: How it ended, for those who read of its tasks' failure: `process 4711 was ended by signal 9`.
    ///   - lifetimes: How long the failures of tasks are kept that were lost too often.
    /// - Returns: The statuses, which the broker has stored, of tasks that were lost too often and are put aside.
    @discardableResult
    func declareLost(_ identity: String, because cause: String?, lifetimes: StatusLifetimes) async throws
        -> [StatusRecord]
}

extension ControllableBroker {
    /// Revokes tasks; the state REVOKED of those that were delayed is kept for a day.
    @discardableResult
    public func revoke(_ ids: [String], terminating: Bool, timeToLive: Duration) async throws -> [String] {
        try await revoke(
            ids, terminating: terminating, timeToLive: timeToLive, statusLifetime: StatusLifetimes.default.usual)
    }
}

extension SupervisedBroker {
    /// Gives back at once what a process held; failures are kept for a day.
    @discardableResult
    public func declareLost(_ identity: String, because cause: String? = nil) async throws -> [StatusRecord] {
        try await declareLost(identity, because: cause, lifetimes: .default)
    }
}
