// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import FoundationEssentials
import Logging
import ServiceLifecycle
import Synchronization

/// A worker process: takes messages from its queues and runs the app's tasks.
///
/// It is a service: run it in a `ServiceGroup`, or call ``run()`` and ``stop(_:)``. Graceful shutdown and cancellation of
/// the task that runs it are obeyed.
public final class Worker: Service, Sendable {
    /// How to end.
    public enum Stop: Sendable, Hashable {
        /// Claim no more, finish what runs within the grace period, hand back the rest.
        case gracefully
        /// Cancel what runs and hand back everything at once.
        case now
    }

    /// The node name.
    public let node: String
    /// The queues it serves.
    public let queues: [String]
    /// The options it was made with.
    public let options: WorkerOptions

    private let app: Chard
    private let logger: Logger
    private let counters = Counters()
    private let state = Mutex(State())

    private struct State {
        var session: WorkerSession?
        var stop: Stop?
        var hasEnded = false
    }

    /// Makes a worker of an app.
    public init(_ app: Chard, options: WorkerOptions = WorkerOptions(), logger: Logger? = nil) {
        self.app = app
        self.options = options
        node = options.node ?? "\(app.name)@\(hostName())"
        queues = options.queues.isEmpty ? [app.settings.defaultQueue] : options.queues
        self.logger = logger ?? Logger(label: "chard.worker")
    }

    /// What it is doing and has done.
    public var vitals: Vitals {
        let figures = counters.figures
        let session = state.withLock { $0.session }
        return Vitals(running: session?.running ?? [], done: figures.done, failed: figures.failed)
    }

    /// Whether everything is over: nothing is held any more, or can be settled.
    public var hasEnded: Bool { state.withLock { $0.hasEnded } }

    /// Runs until it is stopped.
    /// - Throws: ``AppError`` when the app or the options are set up wrongly; ``BrokerError`` when the broker cannot be
    ///   used, for a reason that waiting does not mend, or cannot be reached at the start.
    public func run() async throws {
        try await run(onReady: {})
    }

    /// Runs, and calls `onReady` once, when work is being taken.
    public func run(onReady: @escaping @Sendable () -> Void) async throws {
        try app.validate()
        if let problem = options.problem { throw AppError("worker \(node): \(problem)") }
        try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                defer { state.withLock { $0.hasEnded = true } }
                let broker = try app.broker
                let control = (broker as? any ThreadLendingBroker)?.controlExecutor ?? ControlThread()
                defer { (control as? ControlThread)?.stop() }
                try await withTaskExecutorPreference(control) { try await work(broker, control, onReady) }
            } onGracefulShutdown: {
                self.stop(.gracefully)
            }
        } onCancel: {
            stop(.now)
        }
    }

    /// Begins to end; ``run()`` returns when that is done. A later, harder word replaces an earlier one.
    public func stop(_ how: Stop) {
        let session = state.withLock { state in
            state.stop = state.stop == .now ? .now : how
            return state.session
        }
        if let session { apply(how, to: session) }
    }

    private func apply(_ stop: Stop, to session: WorkerSession) {
        switch stop {
        case .now: session.abort()
        case .gracefully: session.finish(within: options.gracePeriod)
        }
    }

    private func work(
        _ broker: any Broker, _ control: any ControlExecutor, _ onReady: @escaping @Sendable () -> Void
    ) async throws {
        let results = try app.results
        try await broker.connect()
        if app.keepsResultsElsewhere { try await results.connect() }
        await warn(of: broker)
        let blockingPool = BlockingPool(limit: options.concurrency)
        defer { blockingPool.shutdown() }
        let subscription = Subscription(
            queues: queues, node: node, concurrency: options.concurrency, startedAt: app.settings.now(),
            messageLimit: app.settings.limits.messageBytes,
            vitals: { [weak self] in self?.vitals ?? Vitals() },
            onTerminate: { [weak self] ids in self?.state.withLock { $0.session }?.terminate(ids) },
            onBuried: { [weak self] statuses in self?.storeElsewhere(statuses) })
        var isFirst = true
        while true {
            guard let consumer = try await open(broker, subscription, control, isFirst) else { return }
            await call(options.onIdentity, consumer.identity)
            let session = session(on: consumer, control, blockingPool)
            let stop = state.withLock { state in
                state.session = session
                return state.stop
            }
            if let stop { apply(stop, to: session) }
            if isFirst { await call({ onReady() }, ()) }
            isFirst = false
            switch await session.run() {
            case .stopped:
                if session.hasRuns {
                    // At once: what was handed back may already start elsewhere.
                    options.onStubborn?(
                        "\(node) ends by force: tasks ignore their cancellation; they run again elsewhere")
                }
                return
            case .failed(let error): throw error
            case .overrun(let text): return options.onOverrun?(text) ?? ()
            case .leaseLost:
                logger.warning("the lease was lost; going on under a new identity", metadata: ["node": "\(node)"])
            }
        }
    }

    /// Calls a user's code, which may take its time, away from the thread of control. Not on Swift's pool: there may be no
    /// thread of it left.
    private func call<News: Sendable>(_ hook: (@Sendable (News) -> Void)?, _ news: News) async {
        guard let hook else { return }
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                hook(news)
                continuation.resume()
            }
        }
    }

    /// Stores what the broker has stored of lost tasks where results are kept, too, however long that server is away.
    private func storeElsewhere(_ statuses: [StatusRecord]) {
        guard app.keepsResultsElsewhere, let results = try? app.results else { return }
        Task { [logger] in
            while true {
                do {
                    return try await results.store(statuses)
                } catch let error as BrokerError where error.isRetryable {
                    try await Task.sleep(for: .seconds(1))
                } catch {
                    return logger.error(
                        "the failures of lost tasks cannot be stored",
                        metadata: ["ids": "\(statuses.map(\.id))", "error": "\(error)"])
                }
            }
        }
    }

    /// Says loudly what about the broker endangers tasks.
    private func warn(of broker: any Broker) async {
        guard let findings = try? await (broker as? any DiagnosableBroker)?.diagnose() else { return }
        for finding in findings where finding.severity == .danger {
            logger.warning("tasks are in danger: \(finding.subject): \(finding.text); \(finding.advice)")
        }
    }

    /// Opens a hold; after the first one, again and again for as long as the broker is merely away. `nil` once stopped.
    private func open(
        _ broker: any Broker, _ subscription: Subscription, _ control: any ControlExecutor, _ isFirst: Bool
    ) async throws -> (any Consumer)? {
        while true {
            do {
                return try await broker.consumer(for: subscription)
            } catch let error as BrokerError where error.isRetryable && !isFirst {
                if state.withLock({ $0.stop }) != nil { return nil }
                logger.warning("the broker is away; trying again", metadata: ["error": "\(error)"])
                try await control.sleep(for: .milliseconds(500))
            }
        }
    }

    private func session(
        on consumer: any Consumer, _ control: any ControlExecutor, _ blockingPool: BlockingPool
    ) -> WorkerSession {
        let elsewhere = app.keepsResultsElsewhere ? try? app.results : nil
        let timeToLive = app.settings.resultExpires
        let execution = Execution(
            registry: app.registry, middleware: app.middleware, settings: app.settings,
            concluder: Concluder(node: node, settings: app.settings, keepsResultsElsewhere: elsewhere != nil),
            dependencies: app.dependencies, blockingPool: blockingPool, node: node, logger: logger,
            report: { status in
                let record = StatusRecord(status, timeToLive: timeToLive)
                if let elsewhere {
                    try await elsewhere.store([record])
                } else {
                    try await consumer.report([record])
                }
            },
            brokerTime: { [settings = app.settings] in settings.now() + consumer.clockOffset },
            isRevoked: { consumer.isRevoked($0) })
        return WorkerSession(
            consumer: consumer, execution: execution, elsewhere: elsewhere, counters: counters,
            options: options, control: control, logger: logger)
    }
}
