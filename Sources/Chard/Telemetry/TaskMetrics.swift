// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import CoreMetrics
import FoundationEssentials
import Synchronization

/// Counts what becomes of an app's tasks, and measures how long they wait and run, through swift-metrics.
///
/// ```swift
/// MetricsSystem.bootstrap(backend)
/// app.add(observer: TaskMetrics(app))
/// ```
/// The `worker` command with `--http` has one already. Its metrics are named in ``MetricName``; each has the dimensions `task` and
/// `queue`. What is counted are runs as they end on this worker; one whose end could not be written, because another worker has the
/// task by then, is counted once more as fenced. Only tasks that the app has registered stand under their own names, and of them so
/// many as are given; the rest is `other`: what comes in a message cannot make series.
public final class TaskMetrics: WorkerObserver {
    /// Of so many tasks, and as many queues, the names are told, unless it is said otherwise.
    public static let usualNames = 200
    /// The name of all tasks or queues that have none of their own.
    public static let other = "other"

    private let app: Chard
    private let factory: any MetricsFactory
    private let mostNames: Int
    private let state = Mutex(State())

    private struct State {
        var sets: [Key: TaskMetricSet] = [:]
        var tasks: Set<String> = []
        var queues: Set<String> = []
    }

    private struct Key: Hashable {
        var task: String
        var queue: String
    }

    /// Makes metrics of what workers of `app` do.
    ///
    /// - Parameters:
    ///   - app: Whose tasks are counted.
    ///   - factory: The backend; by default the one that `MetricsSystem` was bootstrapped with.
    ///   - mostNames: Of how many tasks, and of how many queues, the names are told.
    public init(_ app: Chard, factory: any MetricsFactory = MetricsSystem.factory, mostNames: Int = usualNames) {
        self.app = app
        self.factory = factory
        self.mostNames = mostNames
    }

    /// Counts a start, and how long the task has waited for it.
    public func runStarted(_ message: TaskMessage, _ delivery: Delivery, by hold: WorkerHold) {
        let set = set(message.task, delivery.queue)
        set.started.increment()
        if message.losses > 0 { set.lost.increment() }
        if let wait = waitingTime(of: message) { set.waiting.recordNanoseconds(wait.nanoseconds) }
    }

    /// Counts what a delivery has come to, and how long it ran.
    public func ended(
        _ outcome: Outcome, of message: TaskMessage?, _ delivery: Delivery, after duration: Duration,
        by hold: WorkerHold
    ) {
        let set = set(message?.task ?? "", delivery.queue)
        switch outcome {
        case .success, .replaced, .ignored:
            set.succeeded.increment()
            set.running.recordNanoseconds(duration.nanoseconds)
        case .retry:
            set.retried.increment()
            set.running.recordNanoseconds(duration.nanoseconds)
        case .failure(_, let reason):
            set.failed.increment()
            if reason != nil { set.dead.increment() }
            if reason?.hasRun ?? true { set.running.recordNanoseconds(duration.nanoseconds) }
        case .rejected, .unreadable:
            set.failed.increment()
            set.dead.increment()
        case .revoked: set.revoked.increment()
        case .requeued, .tooEarly, .rateLimited, .returned: break
        }
    }

    /// Counts an end that counts for nothing, because another worker has the task.
    public func settled(_ delivery: Delivery, _ receipt: Receipt, by hold: WorkerHold) {
        guard receipt.end == .fenced else { return }
        set(MessageIdentity(delivery.payload).task ?? "", delivery.queue).fenced.increment()
    }

    /// Since when a task could have run: since it was sent, which Python's messages do not say, or since its time had come. Unknown
    /// after a loss, and of a retry without a time of its own: their messages wait for less long than since the first was sent.
    private func waitingTime(of message: TaskMessage) -> Duration? {
        guard message.losses == 0, message.retries == 0 || message.eta != nil,
            let since = [message.sentAt, message.eta].compactMap(\.self).max()
        else { return nil }
        return Duration(untrusted: max(0, app.settings.now().timeIntervalSince(since)))
    }

    private func set(_ task: String, _ queue: String) -> TaskMetricSet {
        let key = Key(task: task, queue: queue)
        if let set = state.withLock({ $0.sets[key] }) { return set }
        let isKnown = app.options(of: task) != nil
        return state.withLock { state in
            let name = Self.name(isKnown ? task : nil, among: &state.tasks, mostNames)
            let place = Self.name(queue, among: &state.queues, mostNames)
            let own = Key(task: name, queue: place)
            let set = state.sets[own] ?? TaskMetricSet(task: name, queue: place, factory)
            state.sets[own] = set
            return set
        }
    }

    private static func name(_ name: String?, among names: inout Set<String>, _ most: Int) -> String {
        guard let name else { return other }
        if names.contains(name) { return name }
        guard names.count < most else { return other }
        names.insert(name)
        return name
    }
}

/// The metrics of one task on one queue.
private final class TaskMetricSet: Sendable {
    let started, succeeded, failed, retried, lost, fenced, dead, revoked: Counter
    let running, waiting: Timer

    init(task: String, queue: String, _ factory: any MetricsFactory) {
        let dimensions = [("task", task), ("queue", queue)]
        func counter(_ name: MetricName) -> Counter {
            Counter(label: name.rawValue, dimensions: dimensions, factory: factory)
        }
        func timer(_ name: MetricName) -> Timer {
            Timer(label: name.rawValue, dimensions: dimensions, preferredDisplayUnit: .seconds, factory: factory)
        }
        started = counter(.started)
        succeeded = counter(.succeeded)
        failed = counter(.failed)
        retried = counter(.retried)
        lost = counter(.lost)
        fenced = counter(.fenced)
        dead = counter(.dead)
        revoked = counter(.revoked)
        running = timer(.runTime)
        waiting = timer(.waitingTime)
    }
}

extension DeadLetter.Reason {
    /// Whether the task's body ran before it was put aside.
    fileprivate var hasRun: Bool { self == .retriesExhausted || self == .resultNotStored }
}

extension Duration {
    /// In nanoseconds, as far as they can be said.
    fileprivate var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, isOver) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return isOver ? .max : product + attoseconds / 1_000_000_000
    }
}
