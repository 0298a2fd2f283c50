// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

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
    /// The options it was made with.
    public let options: WorkerOptions

    let app: Chard
    let logger: Logger
    let counters = Counters()
    let sessions: WorkerSessions
    let late: LateStatuses
    let timeLimits = TaskTimeLimits()
    let revokedStamps = RevokedStamps()
    let rates = TaskRates()
    /// Who tells Celery's tools, while it runs on a broker that carries that.
    let events = Mutex<EventSender?>(nil)
    /// When it was made.
    let startedAt: Date
    /// The thread that claims, settles and renews, while it runs.
    let controlThread = Mutex<(any ControlExecutor)?>(nil)
    private let isOver = Mutex(false)

    /// Makes a worker of an app.
    public init(_ app: Chard, options: WorkerOptions = WorkerOptions(), logger: Logger? = nil) {
        self.app = app
        self.options = options
        startedAt = app.settings.now()
        node = options.node ?? Self.defaultNode(of: app)
        sessions = WorkerSessions(
            options, queues: options.queues.isEmpty ? [app.settings.defaultQueue] : options.queues)
        var logger = logger ?? Logger(label: "chard.worker")
        logger[metadataKey: LogKey.node] = .string(node)
        self.logger = logger
        late = LateStatuses(logger: self.logger)
    }

    /// The node name of a worker that was given none.
    package static func defaultNode(of app: Chard) -> String { "\(app.name)@\(hostName())" }

    /// What it is doing and has done.
    public var vitals: Vitals {
        vitals(running: sessions.running)
    }

    func vitals(running: [Vitals.Running]) -> Vitals {
        let figures = counters.figures
        let concurrency = sessions.concurrency
        var vitals = Vitals(
            running: running, done: figures.done, failed: figures.failed,
            concurrency: concurrency == options.concurrency ? nil : concurrency)
        vitals.version = Chard.version
        // In whole seconds, and only where something is wrong: what changes all the time would be written all the time.
        if let consumer = sessions.snapshot.current?.consumer {
            let (offset, stalled) = (consumer.clockOffset, consumer.stalled)
            if abs(offset) > 1 { vitals.clockOffset = Int(offset.rounded()) }
            if stalled > .zero { vitals.stalled = Int(stalled.seconds) }
        }
        return vitals
    }

    /// Whether everything is over: nothing is held any more, or can be settled.
    public var hasEnded: Bool { isOver.withLock { $0 } }

    /// Runs until it is stopped.
    /// - Throws: ``AppError`` when the app or the options are set up wrongly; ``BrokerError`` when the broker cannot be
    ///   used, for a reason that waiting does not mend, or cannot be reached within ``WorkerOptions/brokerWait``.
    public func run() async throws {
        try await run(onReady: {})
    }

    /// Runs, and calls `onReady` once, when work is being taken.
    public func run(onReady: @escaping @Sendable () -> Void) async throws {
        app.attendance.enter(.worker)
        defer { app.attendance.leave(.worker) }
        try app.validate()
        if let problem = options.problem { throw AppError("worker \(node): \(problem)") }
        try await app.dependencies.open()
        do {
            try await runWithDependencies(onReady)
        } catch {
            await app.dependencies.close()
            throw error
        }
        await app.dependencies.close()
    }

    /// An observer that is told of workers. Its own type is cast: that of `any AppObserver` would be looked for first.
    private static func worker(_ observer: some AppObserver) -> (any WorkerObserver)? {
        observer as? any WorkerObserver
    }

    private func runWithDependencies(_ onReady: @escaping @Sendable () -> Void) async throws {
        try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                defer { isOver.withLock { $0 = true } }
                let broker = try app.broker
                let control = broker.power(.threads)?.controlExecutor ?? ControlThread()
                controlThread.withLock { $0 = control }
                defer {
                    controlThread.withLock { $0 = nil }
                    (control as? ControlThread)?.stop()
                }
                let observers = app.observers.compactMap { Self.worker($0) }
                do {
                    try await withTaskExecutorPreference(control) {
                        try await work(broker, control, observers, onReady)
                    }
                } catch {
                    for observer in observers { observer.workerStopped(node, error: error) }
                    throw error
                }
                for observer in observers { observer.workerStopped(node, error: nil) }
            } onGracefulShutdown: {
                self.stop(.gracefully)
            }
        } onCancel: {
            stop(.now)
        }
    }

    /// Begins to end; ``run()`` returns when that is done. A later, harder word replaces an earlier one.
    public func stop(_ how: Stop) {
        switch how {
        case .now: sessions.order(.abort)
        case .gracefully: sessions.order(.finish(within: options.gracePeriod))
        }
    }

    // MARK: Queues

    /// The queues it serves, or is about to.
    public var queues: [String] { sessions.queues }

    /// Serves other queues from soon on. What runs goes on to its end; what was claimed and has not started is handed back.
    ///
    /// If a hold with these queues is not to be had, for a reason that waiting does not mend, that is logged, and the worker
    /// stays with those it has.
    /// A worker without any is quiet: it ends what it runs, and takes nothing until it is given queues again.
    /// - Throws: ``AppError`` where there is an empty name or one that is there twice.
    public func setQueues(_ queues: [String]) throws(AppError) {
        try changeQueues { $0 = queues }
    }

    /// Serves one more queue from soon on: Celery's `add_consumer`. Nothing happens if it is served already.
    public func consume(_ queue: String) throws(AppError) {
        try changeQueues { queues in
            if !queues.contains(queue) { queues.append(queue) }
        }
    }

    /// Serves one queue less from soon on: Celery's `cancel_consumer`. Nothing happens if it is not served. Without any queue left it
    /// is quiet, see ``setQueues(_:)``.
    public func cancel(consuming queue: String) throws(AppError) {
        try changeQueues { $0.removeAll { $0 == queue } }
    }

    private func changeQueues(_ change: (inout [String]) -> Void) throws(AppError) {
        do throws(AppError) {
            try sessions.changeQueues(change)
        } catch {
            throw AppError("worker \(node): \(error)")
        }
    }
}
