// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Logging

/// What a running task may know of itself and of its surroundings.
public struct TaskContext: Sendable {
    /// What is the same from the run's beginning to its end, behind one reference: a context is handed from layer to
    /// layer, and copying a message's thirty members each time would cost a tenth of the run.
    private final class Run: Sendable {
        let message: TaskMessage
        let queue: String
        let node: String
        let dependencies: Dependencies
        let blockingPool: BlockingPool
        let cancellation: Cancellation
        let baseLogger: Logger
        let report: @Sendable (TaskStatus) async throws -> Void

        init(
            message: TaskMessage, queue: String, node: String, dependencies: Dependencies, blockingPool: BlockingPool,
            cancellation: Cancellation, baseLogger: Logger,
            report: @escaping @Sendable (TaskStatus) async throws -> Void
        ) {
            self.message = message
            self.queue = queue
            self.node = node
            self.dependencies = dependencies
            self.blockingPool = blockingPool
            self.cancellation = cancellation
            self.baseLogger = baseLogger
            self.report = report
        }
    }

    private let run: Run

    init(
        message: TaskMessage, queue: String, node: String, dependencies: Dependencies, blockingPool: BlockingPool,
        cancellation: Cancellation, baseLogger: Logger, report: @escaping @Sendable (TaskStatus) async throws -> Void
    ) {
        run = Run(
            message: message, queue: queue, node: node, dependencies: dependencies, blockingPool: blockingPool,
            cancellation: cancellation, baseLogger: baseLogger, report: report)
    }

    /// The message that asked for this run.
    public var message: TaskMessage { run.message }
    /// The queue the message came from.
    public var queue: String { run.queue }
    /// The worker's node name, `<program>@<host>`.
    public var node: String { run.node }
    /// What the app registered for its tasks.
    public var dependencies: Dependencies { run.dependencies }

    var blockingPool: BlockingPool { run.blockingPool }
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

    /// A logger that puts the task's id and name on every line.
    public var logger: Logger {
        var logger = run.baseLogger
        logger[metadataKey: "task_id"] = .string(id)
        logger[metadataKey: "task"] = .string(task)
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
        while true {
            do {
                return try await run.report(status)
            } catch let error as BrokerError where error.isRetryable {
                // Where results are kept elsewhere: a body must not fail because that server is away for a moment.
                logger.warning("a status cannot be stored; trying again", metadata: ["error": "\(error)"])
                try await Task.sleep(for: .milliseconds(500))
            }
        }
    }
}
