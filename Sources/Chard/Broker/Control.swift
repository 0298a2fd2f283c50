// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A broker that keeps the operator's orders: revocations and paused queues. They outlive every worker, and hold for
/// those that are down when they are given.
public protocol ControllableBroker: Broker {
    /// Revokes tasks: a worker that claims one drops it, with the state REVOKED; one that is scheduled is removed at once.
    ///
    /// - Parameters:
    ///   - terminating: Whether runs under way are cancelled too.
    ///   - timeToLive: How long the broker remembers. A message that waits for longer would run.
    /// - Returns: The ids of those that were scheduled: no worker will see them any more, and the broker has stored REVOKED.
    @discardableResult
    func revoke(_ ids: [String], terminating: Bool, timeToLive: Duration) async throws -> [String]

    /// Lets no worker take from `queue` until ``resume(_:)``. What was taken before goes on, and a worker that waits for
    /// work may take a message in the moment before it is told. Returns whether that is new.
    @discardableResult
    func pause(_ queue: String) async throws -> Bool

    /// Lets workers take from `queue` again. Returns whether it was paused.
    @discardableResult
    func resume(_ queue: String) async throws -> Bool
}

/// A broker that can be told of a process's end, by whoever saw it, so that nobody has to wait for the lease.
public protocol SupervisedBroker: Broker {
    /// Gives back at once what the process of this identity held, each loss counted. Only for processes that are gone.
    /// - Returns: The statuses, which the broker has stored, of tasks that were lost too often and are put aside.
    @discardableResult
    func declareLost(_ identity: String) async throws -> [StatusRecord]
}

extension Chard {
    /// Gives back what a process held that somebody saw end; nothing where the broker cannot be told.
    package func declareLost(_ identity: String) async throws {
        let buried = try await (try broker as? any SupervisedBroker)?.declareLost(identity) ?? []
        if keepsResultsElsewhere, !buried.isEmpty { try await results.store(buried) }
    }
}

extension Duration {
    /// How long revocations are remembered unless the caller says otherwise: 30 days.
    public static let revocationTimeToLive = Duration.seconds(30 * 86_400)
}

extension Chard {
    /// Revokes tasks for good: see ``ControllableBroker/revoke(_:terminating:timeToLive:)``.
    /// - Throws: ``AppError`` where the broker keeps no orders.
    public func revoke(
        _ ids: [String], terminating: Bool = false, timeToLive: Duration = .revocationTimeToLive
    ) async throws {
        let broker = try broker
        guard let controllable = broker as? any ControllableBroker else {
            throw AppError("\(broker.location) keeps no revocations")
        }
        let removed = try await controllable.revoke(ids, terminating: terminating, timeToLive: timeToLive)
        guard keepsResultsElsewhere, !removed.isEmpty else { return }
        let now = settings.now()
        try await results.store(removed.map { .revoked($0, at: now, timeToLive: settings.resultExpires) })
    }
}

extension AsyncResult {
    /// Revokes this task; with `terminating`, also if it runs already.
    public func revoke(terminating: Bool = false) async throws {
        try await app.revoke([id], terminating: terminating)
    }
}
