// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import DequeModule
import FoundationEssentials
import Synchronization

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
final class ImmediateMode: ImmediateRunner {
    private let results: MemoryBroker
    private let failures: ImmediateFailures
    /// Whether what is to run later, such as a retry, is waited for.
    private let waits: Bool
    private let node: String
    private let pool: SoloPool
    private let made = Mutex<Made?>(nil)

    /// A worker, and what the app had when it was made: an app gets more tasks and middleware, never fewer.
    private struct Made {
        let worker: SoloWorker
        let tasks: Int
        let middleware: Int
        let fileKeeper: FileKeeper?
    }

    init(_ app: Chard, failures: ImmediateFailures, waits: Bool = false, node: String = "immediate") {
        var settings = MemorySettings()
        settings.now = app.settings.now
        results = MemoryBroker(settings: settings)
        self.failures = failures
        self.waits = waits
        self.node = "\(node)@\(app.name)"
        pool = SoloPool(app)
    }

    var store: any ResultStore { results }

    private func worker(of app: Chard) -> SoloWorker {
        let (tasks, middleware, fileKeeper) = (app.registry.count, app.middleware.count, app.fileKeeper)
        if let made = made.withLock({ $0 }), made.tasks == tasks, made.middleware == middleware,
            made.fileKeeper === fileKeeper
        {
            return made.worker
        }
        let worker = SoloWorker(
            app, node: node, pool: pool, canRequeue: false,
            report: { [results] in try await results.store([$0]) },
            desk: StepDesk(results, by: nil), isRevoked: { _ in false }, seal: .random())
        made.withLock { $0 = Made(worker: worker, tasks: tasks, middleware: middleware, fileKeeper: fileKeeper) }
        return worker
    }

    func run(_ messages: [TaskMessage], of app: Chard) async throws {
        try await pool.open()
        let worker = worker(of: app)
        // What follows a task runs before the next message, as it would where nobody waits.
        try await run(Deque(messages.map { $0.outgoing }), by: worker)
    }

    /// Runs a message that nobody has sent, and what follows it.
    func runUnsent(_ message: TaskMessage, of app: Chard) async throws {
        guard message.eta == nil else { return try await run([message], of: app) }
        try await pool.open()
        let worker = worker(of: app)
        let end = try await worker.work(on: message, at: node, joins: results) { [results] in
            // Most of it leaves nothing.
            $0.effects.isEmpty ? Receipt(.settled) : results.take($0.effects)
        }
        try await run(Deque(try followers(of: end)), by: worker)
    }

    private func run(_ messages: Deque<OutgoingMessage>, by worker: SoloWorker) async throws {
        var waiting = messages
        while let message = waiting.popFirst() {
            if waits, let due = message.dueAt {
                try await Task.sleep(for: .seconds(max(0, due.timeIntervalSince(results.settings.now()))))
            }
            let delivery = Delivery(queue: message.queue, payload: message.payload, place: node)
            let end = try await worker.work(on: delivery, notBefore: message.dueAt, joins: results) { [results] in
                results.take($0.effects)
            }
            for next in try followers(of: end).reversed() { waiting.prepend(next) }
        }
    }

    private func followers(of end: SoloWorker.End) throws -> [OutgoingMessage] {
        if case .retry = end.outcome { return end.settlement.effects.messages }
        if failures == .thrown, let error = end.outcome.error { throw error }
        return end.settlement.effects.messages
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
        case .success, .retry, .replaced, .tooEarly, .rateLimited, .ignored, .requeued, .returned: nil
        }
    }
}
