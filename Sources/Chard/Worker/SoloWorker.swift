// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Logging

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
    /// Whether there is a queue for a message to go back to.
    private let canRequeue: Bool

    package init(
        _ app: Chard, node: String, pool: SoloPool, innermost: [any Middleware] = [], canRequeue: Bool,
        report: @escaping @Sendable (StatusRecord) async throws -> Void,
        isRevoked: @escaping @Sendable (String) -> Bool
    ) {
        self.canRequeue = canRequeue
        let timeToLive = app.settings.resultExpires
        execution = Execution(
            registry: app.registry, middleware: app.middleware + innermost, settings: app.settings,
            concluder: Concluder(node: node, settings: app.settings, keepsResultsElsewhere: false),
            dependencies: app.dependencies, blockingPool: pool.threads, node: node,
            logger: Logger(label: "chard.worker"),
            report: { try await report(StatusRecord($0, timeToLive: timeToLive)) },
            brokerTime: app.settings.now, isRevoked: isRevoked)
    }

    /// Runs a delivery to its end, as if it were no earlier than `date`.
    package func work(on delivery: Delivery, notBefore date: Date? = nil) async -> End {
        var execution = execution
        if let date { execution.brokerTime = { [now = execution.brokerTime] in max(now(), date) } }
        let outcome: Outcome
        let known: (message: TaskMessage?, task: RegisteredTask?)
        switch execution.prepare(delivery) {
        case .decided(let decision, let message, let task):
            outcome = decision
            known = (message, task)
        case .ready(let task, let message, let body):
            let run = await run(task, message, body, delivery, execution)
            if !canRequeue, case .requeued = run {
                outcome = .rejected("the task refused it, and there is no queue to go back to")
            } else {
                outcome = run
            }
            known = (message, task)
        }
        let conclusion = execution.concluder.conclude(outcome, of: known.message, task: known.task, delivery: delivery)
        return End(message: known.message, outcome: outcome, settlement: conclusion.settlement)
    }

    /// Runs a task within its limits: the soft one cancels the run, the hard one does not wait for its end.
    private func run(
        _ task: RegisteredTask, _ message: TaskMessage, _ body: MessageBody, _ delivery: Delivery,
        _ execution: Execution
    ) async -> Outcome {
        let limits = RunLimits(message, task)
        let cancellation = Cancellation()
        guard limits.soft != nil || limits.hard != nil else {
            return await execution.run(task, message, body, delivery: delivery, cancellation: cancellation)
        }
        let (outcomes, ended) = AsyncStream<Outcome>.makeStream()
        let run = Task {
            let outcome = await execution.run(task, message, body, delivery: delivery, cancellation: cancellation)
            ended.yield(outcome)
            return outcome
        }
        let start = ContinuousClock.now
        let limiter = Task {
            if let soft = limits.soft {
                try await Task.sleep(until: start + soft, clock: .continuous)
                if cancellation.cancel(.softTimeLimit) { run.cancel() }
            }
            if let hard = limits.hard {
                try await Task.sleep(until: start + hard, clock: .continuous)
                ended.yield(.failure(.timeLimitExceeded(message, task), keptAs: nil))
                _ = cancellation.cancel(.timeLimit)
                run.cancel()
            }
        }
        defer { limiter.cancel() }
        return await withTaskCancellationHandler {
            for await outcome in outcomes { return outcome }
            // The caller was cancelled, and the run with it.
            return await run.value
        } onCancel: {
            run.cancel()
        }
    }
}

/// The threads on which solo workers run bodies that block.
package final class SoloPool: Sendable {
    let threads = BlockingPool(limit: ProcessInfo.processInfo.activeProcessorCount)

    package init() {}

    deinit {
        threads.shutdown()
    }
}
