// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Logging
import Synchronization

/// What a running task may know of itself and of its surroundings.
public struct TaskContext: Sendable {
    /// What is the same for all runs of a worker.
    final class Surroundings: Sendable {
        let node: String
        let dependencies: Dependencies
        let blockingPool: BlockingPool
        let logger: Logger
        /// Whether statuses say more of their task: see ``Settings/resultExtended``.
        let extendsResults: Bool
        /// Stores a status on the way, for so long: if that is nothing, for as long as the app keeps results.
        let report: @Sendable (TaskStatus, Duration?) async throws -> Void
        /// Where steps of bodies are kept; `nil` where the broker keeps none.
        let desk: StepDesk?

        init(
            node: String, dependencies: Dependencies, blockingPool: BlockingPool, logger: Logger,
            extendsResults: Bool = false, desk: StepDesk?,
            report: @escaping @Sendable (TaskStatus, Duration?) async throws -> Void
        ) {
            self.node = node
            self.dependencies = dependencies
            self.blockingPool = blockingPool
            self.logger = logger
            self.extendsResults = extendsResults
            self.report = report
            self.desk = desk
        }
    }

    let run: TaskRun

    init(_ run: TaskRun) { self.run = run }

    /// The message that asked for this run.
    public var message: TaskMessage { run.message }
    /// The queue the message came from.
    public var queue: String { run.queue }
    /// The worker's node name, `<program>@<host>`.
    public var node: String { run.surroundings.node }
    /// What the app registered for its tasks.
    public var dependencies: Dependencies { run.surroundings.dependencies }

    var blockingPool: BlockingPool { run.surroundings.blockingPool }
    var cancellation: Cancellation { run.cancellation }

    /// The context of the task that runs now, in whatever depth of calls; `nil` outside of one.
    ///
    /// Tasks enqueued within it get this one as their parent.
    @TaskLocal public static var current: TaskContext?

    /// The task's id: the same for every attempt.
    public var id: String { message.id }
    /// The task's name.
    public var task: String { message.task }
    /// Which attempt this is, from 1.
    public var attempt: Int { message.retries + 1 }
    /// How many earlier runs were lost together with their process.
    public var losses: Int { message.losses }
    /// The headers that the caller or a middleware added.
    public var headers: [String: JSON] { message.headers }
    /// When the message expires, if it does.
    public var expires: Date? { message.expires }

    /// A logger that puts the task's id and name on every line, its queue and the worker's node, and the id of the trace that it
    /// belongs to, if it does.
    public var logger: Logger {
        var logger = run.surroundings.logger
        logger[metadataKey: LogKey.taskID] = .string(id)
        logger[metadataKey: LogKey.task] = .string(message.shadow ?? task)
        logger[metadataKey: LogKey.queue] = .string(queue)
        logger[metadataKey: LogKey.node] = .string(node)
        if let traceID = message.traceID { logger[metadataKey: LogKey.traceID] = .string(traceID) }
        return logger
    }

    /// Whether the run was cancelled: by a time limit, a revocation, the worker's end or a lost lease.
    public var isCancelled: Bool { cancellation.reason != nil || Task.isCancelled }

    /// Ends the run here if it was cancelled.
    public func checkCancellation() throws { if isCancelled { throw CancellationError() } }

    /// Stores the state PROGRESS with `{"current": …, "total": …}`, the shape that Celery's users expect.
    public func progress(_ current: Int, of total: Int) async throws {
        try await setState(.progress, meta: ["current": JSON.integer(current), "total": JSON.integer(total)] as JSON)
    }

    /// Stores a state of one's own with anything encodable beside it, as Celery's `update_state`.
    ///
    /// Ready states (SUCCESS, FAILURE, REVOKED) are the worker's to set and are refused. A store that is away is waited for.
    public func setState(_ state: TaskState, meta: some Encodable & Sendable) async throws {
        guard !state.isReady else {
            throw AppError("\(task): a task cannot set its own state to \(state.rawValue); return or throw instead")
        }
        var status = TaskStatus(id: id, state: state, result: try JSON.encode(meta))
        status.groupID = message.group
        status.parentID = message.parentID
        if run.surroundings.extendsResults { status.extend(by: message, node) }
        try await run.surroundings.report(status, run.task.options.resultExpires)
    }
}

extension TaskContext {
    /// What is kept of a step, if it was done.
    func kept(_ name: String) async throws -> [UInt8]? {
        try checkCancellation()
        guard let desk = run.surroundings.desk else {
            throw AppError("\(task): the broker keeps no records, so that no steps of a task can be kept")
        }
        if run.steps.withLock({ $0 == nil }) {
            let results = try await desk.read(StepDesk.record(of: id)) ?? [:]
            run.steps.withLock { $0 = $0 ?? KnownSteps(results: results) }
            if !results.isEmpty { cancellation.noteSteps() }
        }
        let (isNew, result) = run.steps.withLock { steps in
            (steps?.asked.insert(name).inserted ?? true, steps?.results[name])
        }
        guard isNew else {
            throw AppError("\(task): step \"\(name)\" comes twice in one run; give each step a name of its own")
        }
        return result
    }

    /// One value of a record.
    func value(_ name: String, of record: String) async throws -> [UInt8]? {
        try await run.surroundings.desk?.value(name, record)
    }

    /// The stored status of a task.
    func status(of id: String) async throws -> TaskStatus? { try await run.surroundings.desk?.status(id) }

    /// Where steps are kept.
    var desk: StepDesk? { run.surroundings.desk }

    /// How many steps this run has asked for whose names begin so.
    func stepsAsked(_ beginning: String) -> Int {
        run.steps.withLock { $0?.asked.count { $0.hasPrefix(beginning) } ?? 0 }
    }

    /// All values of a record.
    func record(_ id: String) async throws -> [String: [UInt8]]? { try await run.surroundings.desk?.read(id) }

    /// Revokes tasks, and cancels those that run.
    func revoke(_ ids: [String]) async throws { try await run.surroundings.desk?.revoke?(ids) }

    /// Keeps what a step has come to.
    func keep(_ name: String, _ result: [UInt8]) async throws {
        cancellation.noteSteps()
        try await run.surroundings.desk?.write(StepDesk.record(of: id), name, result)
    }
}
