// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension Operator {
    /// Revokes tasks for good, and tells Python's workers that run now: see ``ControllableBroker/revoke(_:terminating:timeToLive:)``.
    ///
    /// - Parameters:
    ///   - ids: The tasks.
    ///   - terminating: Whether runs under way are cancelled too.
    ///   - timeToLive: How long the broker remembers, restarts or not; by default, 30 days. A message that waits for longer would
    ///     run.
    public func revoke(
        _ ids: [String], terminating: Bool = false, timeToLive: Duration = .seconds(30 * 86_400)
    ) async throws {
        try await announce(ids)
        let removed = try await app.broker.with(.orders).revoke(
            ids, terminating: terminating, timeToLive: timeToLive, statusLifetime: app.settings.resultExpires)
        try await app.storeElsewhere(removed.map { app.revokedStatus(of: $0) })
        try await tellOthers(ids, terminating)
    }

    /// Tells workers that do not look into the broker for orders, Python's, as Celery's own tools do.
    private func tellOthers(_ ids: [String], _ terminating: Bool) async throws {
        guard let broker = try app.broker.power(.mailbox) else { return }
        for start in stride(from: 0, to: ids.count, by: 1_000) {
            let some = ids[start..<min(start + 1_000, ids.count)]
            var request = ControlRequest(
                "revoke",
                ["task_id": .array(some.map(JSON.string)), "terminate": .bool(terminating), "signal": "SIGTERM"])
            request.isOrdered = true
            // The order stands, whether or not this user may speak to Python's workers.
            do {
                try await broker.tell(request)
            } catch let error as BrokerError where error.isRefusal || error.code == .unauthorized {
                return
            }
        }
    }

    /// Of delayed tasks that somebody waits for, lets a worker tell those: it is given the message at once, not to run it.
    private func announce(_ ids: [String]) async throws {
        guard let broker = try app.broker.power(.delayedTasks) else { return }
        for id in ids {
            if let message = try await broker.delayedTask(id)?.revokedWorkflow(in: app) {
                try await broker.send([message])
            }
        }
    }

    /// Gives back what a process held that somebody saw end; nothing where the broker cannot be told.
    package func declareLost(_ identity: String, because cause: String? = nil) async throws {
        let buried =
            try await app.broker.power(.supervision)?.declareLost(
                identity, because: cause, lifetimes: app.statusLifetimes) ?? []
        await tellFailed(buried, by: identity.split(separator: "#").first.map(String.init) ?? identity)
        try await app.storeElsewhere(buried)
    }

    /// Tells Celery's tools of tasks that were lost too often: no worker will. So few that nobody has to ask for it.
    private func tellFailed(_ statuses: [StatusRecord], by node: String) async {
        guard !statuses.isEmpty, let broker = try? app.broker.power(.mailbox) else { return }
        let writer = EventWriter(node: node)
        var text = JSONWriter()
        for status in statuses {
            guard let error = status.failure else { continue }
            writer.write("task-failed", at: app.settings.now().timeIntervalSince1970, clock: 0, to: &text) {
                $0.fields(of: error, "\(error)\n", taskID: status.id)
            }
        }
        guard !text.bytes.isEmpty else { return }
        // The failure is stored, whether or not somebody hears of it.
        try? await broker.publish([UInt8(ascii: "[")] + text.bytes + [UInt8(ascii: "]")], "task.multi", from: node)
    }
}

extension AsyncResult {
    /// Revokes this task; with `terminating`, also if it runs already.
    public func revoke(terminating: Bool = false) async throws {
        try await app.operator.revoke([id], terminating: terminating)
    }
}

extension Chard {
    /// The status of a task that is revoked now; kept as its task says, where that is known.
    func revokedStatus(of id: String, task: String? = nil) -> StatusRecord {
        .revoked(id, at: settings.now(), timeToLive: statusLifetimes[task])
    }

    /// Stores statuses that the broker has stored where results are kept, if that is not there.
    func storeElsewhere(_ statuses: [StatusRecord]) async throws {
        if keepsResultsElsewhere, !statuses.isEmpty { try await results.store(statuses) }
    }
}

extension DelayedTask {
    /// What a worker is given once this is revoked, if somebody waits for it: the same message, not to be run.
    func revokedWorkflow(in app: Chard) -> OutgoingMessage? {
        guard var message, let embed = try? message.decodeBody(limits: .held).embed, !embed.isEmpty else { return nil }
        message.headers[Recovery.revokedHeader] = true
        // Where it cannot be signed anew, workers that ask for signatures put it aside, which is as good.
        if let changed = try? app.changed(message, { $0.eta = nil }) { message = changed } else { message.eta = nil }
        return OutgoingMessage(
            id: message.id, queue: queue, priority: message.properties.priority, payload: message.encoded())
    }
}
