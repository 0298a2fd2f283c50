// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What becomes of a task's failure in immediate mode.
public enum ImmediateFailures: Sendable, Hashable {
    /// It is kept in the result, where ``AsyncResult/value(timeout:)`` throws it.
    case kept
    /// The enqueue throws it, as ``TaskError``. Of a call with several tasks, those behind the one that failed do not run.
    case thrown
}

extension Chard {
    /// From now on an enqueue runs its task at once, in its caller, and returns when it has ended: Celery's
    /// `task_always_eager`, huey's immediate mode. For tests, scripts and first steps; nothing leaves the process, and no
    /// broker is needed.
    ///
    /// The task takes the same way as through a queue: arguments and results are encoded and decoded, middleware stands
    /// around both enqueue and run, time limits hold, and a retry runs until the policy's retries are used up. Only nobody
    /// waits: an ETA, a countdown and the delay of a retry count as over. A task that this app does not have fails with
    /// `NotRegistered`.
    public func runImmediately(failures: ImmediateFailures = .kept) {
        immediate = ImmediateMode(self, failures: failures)
    }
}

/// Runs messages in the task of their sender, and keeps what they come to.
final class ImmediateMode: Sendable {
    let results: MemoryBroker
    private let failures: ImmediateFailures
    private let node: String
    private let pool = SoloPool()

    init(_ app: Chard, failures: ImmediateFailures) {
        var settings = MemorySettings()
        settings.now = app.settings.now
        results = MemoryBroker(settings: settings)
        self.failures = failures
        node = "immediate@\(app.name)"
    }

    func run(_ messages: [TaskMessage], of app: Chard) async throws {
        let worker = SoloWorker(
            app, node: node, pool: pool, canRequeue: false,
            report: { [results] in try await results.store([$0]) }, isRevoked: { _ in false })
        for message in messages { try await run(message, by: worker) }
    }

    private func run(_ message: TaskMessage, by worker: SoloWorker) async throws {
        var payload = message.encoded()
        var dueAt = message.eta
        while true {
            let delivery = Delivery(queue: message.properties.routingKey, payload: payload, place: node)
            let end = await worker.work(on: delivery, notBefore: dueAt)
            if let status = end.settlement.status { try await results.store([status]) }
            if case .retry(let date, _) = end.outcome, let next = end.settlement.followers.first {
                (payload, dueAt) = (next.payload, date)
                continue
            }
            if failures == .thrown, let error = end.outcome.error { throw error }
            return
        }
    }
}

extension Outcome {
    /// The failure, where a task that was waited for has come to one.
    package var error: TaskError? {
        switch self {
        case .failure(let error, _): error
        case .rejected(let reason): TaskError("Reject", reason, module: "celery.exceptions")
        case .revoked(let word): TaskError("TaskRevokedError", word, module: "celery.exceptions")
        case .unreadable(let error): TaskError(describing: error)
        case .success, .retry, .tooEarly, .ignored, .requeued, .returned: nil
        }
    }
}
