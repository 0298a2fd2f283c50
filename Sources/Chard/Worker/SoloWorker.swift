// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Logging
import Synchronization

/// Runs deliveries one by one in the task of whoever calls it, and says what to settle: what immediate mode and test queues
/// stand on. It is the worker's own path, without its loops.
package struct SoloWorker: Sendable {
    /// What a delivery came to.
    package struct End: Sendable {
        /// The message; `nil` where it could not be read.
        package var message: TaskMessage?
        package var outcome: Outcome
        package var settlement: Settlement
    }

    private let execution: Execution
    private let fileKeeper: FileKeeper?
    /// Whether there is a queue for a message to go back to.
    private let canRequeue: Bool

    package init(
        _ app: Chard, node: String, pool: SoloPool, innermost: [any Middleware] = [], canRequeue: Bool,
        report: @escaping @Sendable (StatusRecord) async throws -> Void, desk: StepDesk,
        isRevoked: @escaping @Sendable (String) -> Bool, seal: LossSeal, signing: MessageSigning? = nil
    ) {
        self.canRequeue = canRequeue
        fileKeeper = app.fileKeeper
        let registry = app.registry
        let logger = Logger(label: "chard.worker")
        execution = Execution(
            registry: registry, unknownTasks: UnknownTasks(known: registry.keys, logger: logger),
            middleware: app.middleware + innermost, settings: app.settings,
            concluder: Concluder(
                node: node, seal: seal, settings: app.settings, keepsResultsElsewhere: false, keepsJoins: true,
                rules: app.canvasRules, mostEffects: .max),
            dependencies: app.dependencies, blockingPool: pool.threads, node: node,
            logger: logger,
            report: report, desk: desk,
            brokerTime: app.settings.now, isRevoked: isRevoked, signing: signing)
    }

    /// Runs a delivery to its end, as if it were no earlier than `date`, and settles it by `settle`: again and again, until no
    /// join withholds it.
    package func work(
        on delivery: Delivery, notBefore date: Date? = nil, joins: any JoinStore,
        settle: (Settlement) async throws -> Receipt
    ) async throws -> End {
        var execution = execution
        if let date { execution.brokerTime = { [now = execution.brokerTime] in max(now(), date) } }
        return try await finish(execution.prepare(delivery), of: delivery, by: execution, joins: joins, settle: settle)
    }

    /// The same for a message that is not on any queue, nor a part of a workflow: nobody has to write it, nor to read it.
    package func work(
        on message: TaskMessage, at place: String, joins: any JoinStore, settle: (Settlement) async throws -> Receipt
    ) async throws -> End {
        let queue = message.properties.routingKey
        // Only who removes files looks at it as it would travel.
        let delivery = Delivery(queue: queue, payload: fileKeeper == nil ? [] : message.encoded(), place: place)
        return try await finish(
            execution.prepare(message, on: queue), of: delivery, by: execution, joins: joins, settle: settle)
    }

    private func finish(
        _ preparation: Execution.Preparation, of delivery: Delivery, by execution: Execution, joins: any JoinStore,
        settle: (Settlement) async throws -> Receipt
    ) async throws -> End {
        let outcome: Outcome
        let known: (message: TaskMessage?, task: RegisteredTask?, embed: Embed?)
        switch preparation {
        case .decided(let decision, let message, let task, let embed):
            outcome = decision
            known = (message, task, embed)
        case .ready(var run):
            let span = execution.isTraced ? RunSpan(of: &run) : nil
            let ending = await end(of: run, execution)
            span?.end(ending)
            if !canRequeue, case .requeued = ending {
                outcome = .rejected("the task refused it, and there is no queue to go back to")
            } else {
                outcome = ending
            }
            known = (run.cancellation.hasSteps ? run.message.withSteps : run.message, run.task, run.body.embed)
        }
        var conclusion = execution.concluder.conclude(
            outcome, of: known.message, embed: known.embed, task: known.task, delivery: delivery)
        while true {
            let receipt = try await settle(conclusion.settlement)
            guard receipt.end == .withheld,
                let next = try await execution.renew(conclusion, after: receipt, asking: joins)
            else {
                if let fileKeeper, receipt.end == .settled {
                    fileKeeper.settled(conclusion.settlement)
                    await fileKeeper.finish()
                }
                break
            }
            conclusion = next
        }
        return End(message: known.message, outcome: outcome, settlement: conclusion.settlement)
    }

    /// Runs a task within its limits: the soft one cancels the run, the hard one does not wait for its end.
    private func end(of run: TaskRun, _ execution: Execution) async -> Outcome {
        let limits = RunLimits(run.message, run.task)
        let cancellation = run.cancellation
        guard limits.soft != nil || limits.hard != nil else {
            return await execution.run(run)
        }
        let (outcomes, ended) = AsyncStream<Outcome>.makeStream()
        let running = Task {
            let outcome = await execution.run(run)
            ended.yield(outcome)
            return outcome
        }
        let start = ContinuousClock.now
        let limiter = Task {
            if let soft = limits.soft {
                try await Task.sleep(until: start + soft, clock: .continuous)
                if cancellation.cancel(.softTimeLimit) { running.cancel() }
            }
            if let hard = limits.hard {
                try await Task.sleep(until: start + hard, clock: .continuous)
                ended.yield(.failure(.timeLimitExceeded(limits), keptAs: nil))
                _ = cancellation.cancel(.timeLimit)
                running.cancel()
            }
        }
        defer { limiter.cancel() }
        return await withTaskCancellationHandler {
            for await outcome in outcomes { return outcome }
            // The caller was cancelled, and the run with it.
            return await running.value
        } onCancel: {
            running.cancel()
        }
    }
}

/// What the solo workers of a queue or of immediate mode share: threads for bodies that block, and the app's dependencies.
package final class SoloPool: Sendable {
    let threads = BlockingPool(limit: ProcessInfo.processInfo.activeProcessorCount)
    private let dependencies: Dependencies
    private struct Opening {
        var task: Task<Void, any Error>?
        /// So that most need not wait for a task that has ended long ago.
        var isOver = false
    }
    private let opening = Mutex(Opening())

    package init(_ app: Chard) {
        dependencies = app.dependencies
    }

    deinit {
        threads.shutdown()
        if opening.withLock({ $0.task != nil }) { Task { [dependencies] in await dependencies.close() } }
    }

    /// Makes the app's dependencies before the first run.
    package func open() async throws {
        let task: Task<Void, any Error>? = opening.withLock { opening in
            if opening.isOver { return nil }
            let task = opening.task ?? Task { [dependencies] in try await dependencies.open() }
            opening.task = task
            return task
        }
        guard let task else { return }
        do {
            try await task.value
            opening.withLock { $0.isOver = true }
        } catch {
            opening.withLock { $0.task = nil }
            throw error
        }
    }
}
