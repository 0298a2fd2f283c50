// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import CoreMetrics
import ServiceLifecycle
import Synchronization

/// Tells, through swift-metrics, how the queues of an app's broker stand, and how one worker does.
///
/// It is a service that asks every fifteen seconds; ``record()`` asks once. The `worker` command with `--http` asks whenever
/// `/metrics` is read. What it tells of queues is the same whoever asks: one process is enough for that. Of more queues than
/// `mostQueues` the fullest have their own names, and the rest are added up as `other`. While the broker cannot be asked, nothing is
/// told of queues: ``MetricName/brokerUp`` is 0.
public final class Gauges: Service, Sendable {
    /// Of so many queues the names are told, unless it is said otherwise.
    public static let usualQueues = 200

    private let app: Chard
    private let worker: Worker?
    private let interval: Duration
    private let mostQueues: Int
    private let factory: any MetricsFactory
    private let state: Mutex<State>

    private struct State {
        var queues: [String: QueueGauges] = [:]
        var reconnects = 0
    }

    private let brokerUp: Gauge
    private let own: WorkerGauges?
    private let connections: Gauge
    private let reconnects: Counter

    /// Makes gauges of an app's broker, and of a worker where one is given.
    ///
    /// - Parameters:
    ///   - app: Whose broker is asked.
    ///   - worker: The worker that runs in this process, if any.
    ///   - interval: How often ``run()`` asks.
    ///   - mostQueues: Of how many queues figures are told.
    ///   - factory: The backend; by default the one that `MetricsSystem` was bootstrapped with.
    public init(
        _ app: Chard, worker: Worker? = nil, every interval: Duration = .seconds(15),
        mostQueues: Int = usualQueues, factory: any MetricsFactory = MetricsSystem.factory
    ) {
        self.app = app
        self.worker = worker
        self.interval = interval
        self.mostQueues = mostQueues
        self.factory = factory
        state = Mutex(State())
        brokerUp = Gauge(.brokerUp, [], factory)
        own = worker.map { _ in WorkerGauges(factory) }
        connections = Gauge(.connections, [], factory)
        reconnects = Counter(label: MetricName.reconnects.rawValue, dimensions: [], factory: factory)
    }

    /// Asks again and again, until it is told to end.
    public func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            while !Task.isCancelled {
                try? await record()
                try? await Task.sleep(for: interval)
            }
        }
    }

    /// Asks once, and tells what there is.
    /// - Throws: What the broker says, or cannot do; what concerns the worker is told all the same.
    public func record() async throws {
        recordWorker()
        do {
            let broker = try app.broker.with(.inspection)
            let (queues, workers) = (try await broker.queues(), try await broker.workers())
            record(queues, workers)
            brokerUp.record(1)
        } catch {
            forgetQueues()
            throw error
        }
    }

    /// Tells what concerns the worker and its connections: no broker is asked.
    package func recordWorker() {
        guard let worker else { return }
        own?.record(worker.figures)
        guard let figures = (try? app.broker.power(.connections))?.connections else { return }
        connections.record(figures.open)
        let more = state.withLock { state in
            defer { state.reconnects = figures.reconnects }
            return figures.reconnects - state.reconnects
        }
        reconnects.increment(by: more)
    }

    /// Says that the broker is away, and nothing more of its queues: old figures would be taken for new ones.
    package func forgetQueues() {
        brokerUp.record(0)
        let gone = state.withLock { state in
            defer { state.queues = [:] }
            return state.queues.values
        }
        for gauges in gone { gauges.destroy() }
    }

    private func record(_ queues: [QueueReport], _ workers: [WorkerReport]) {
        var servers: [String: Int] = [:]
        for worker in workers { for queue in worker.queues { servers[queue, default: 0] += 1 } }
        var figures = queues.map { QueueFigures($0, servers: servers[$0.queue] ?? 0) }
        if figures.count > mostQueues {
            figures.sort { ($0.weight, $1.name) > ($1.weight, $0.name) }
            var rest = QueueFigures(name: TaskMetrics.other)
            for queue in figures[mostQueues...] { rest.add(queue) }
            figures = figures[..<mostQueues] + [rest]
        }
        let names = Set(figures.map(\.name))
        let (gauges, gone) = state.withLock { state in
            let gone = state.queues.filter { !names.contains($0.key) }
            for name in gone.keys { state.queues[name] = nil }
            let gauges = figures.map { queue in
                let gauges = state.queues[queue.name] ?? QueueGauges(queue.name, factory)
                state.queues[queue.name] = gauges
                return gauges
            }
            return (gauges, gone.values)
        }
        for each in gone { each.destroy() }
        for (gauges, queue) in zip(gauges, figures) { gauges.record(queue) }
    }
}

/// The figures of one queue, or of several.
private struct QueueFigures {
    var name: String
    var waiting = 0
    var delayed = 0
    var leased = 0
    var dead = 0
    var oldest = 0.0
    var paused = 0
    var servers = 0

    init(name: String) { self.name = name }

    init(_ report: QueueReport, servers: Int) {
        name = report.queue
        (waiting, delayed, leased, dead) = (report.waiting, report.delayed, report.leased, report.dead)
        oldest = report.oldestWait ?? 0
        paused = report.isPaused ? 1 : 0
        self.servers = servers
    }

    var weight: Int { waiting + delayed + leased + dead }

    mutating func add(_ other: QueueFigures) {
        waiting += other.waiting
        delayed += other.delayed
        leased += other.leased
        dead += other.dead
        oldest = max(oldest, other.oldest)
        paused += other.paused
        servers += other.servers
    }
}

private final class QueueGauges: Sendable {
    private let waiting, delayed, leased, dead, oldest, paused, servers: Gauge

    init(_ queue: String, _ factory: any MetricsFactory) {
        func gauge(_ name: MetricName) -> Gauge { Gauge(name, [("queue", queue)], factory) }
        waiting = gauge(.waiting)
        delayed = gauge(.delayed)
        leased = gauge(.leased)
        dead = gauge(.deadLetters)
        oldest = gauge(.oldest)
        paused = gauge(.paused)
        servers = gauge(.servers)
    }

    func record(_ queue: QueueFigures) {
        waiting.record(queue.waiting)
        delayed.record(queue.delayed)
        leased.record(queue.leased)
        dead.record(queue.dead)
        oldest.record(queue.oldest)
        paused.record(queue.paused)
        servers.record(queue.servers)
    }

    func destroy() {
        for gauge in [waiting, delayed, leased, dead, oldest, paused, servers] { gauge.destroy() }
    }
}

private final class WorkerGauges: Sendable {
    private let slots, running, held, window, consuming, stalled: Gauge

    init(_ factory: any MetricsFactory) {
        slots = Gauge(.slots, [], factory)
        running = Gauge(.running, [], factory)
        held = Gauge(.held, [], factory)
        window = Gauge(.window, [], factory)
        consuming = Gauge(.consuming, [], factory)
        stalled = Gauge(.stalled, [], factory)
    }

    func record(_ figures: WorkerFigures) {
        slots.record(figures.slots)
        running.record(figures.running)
        held.record(figures.held)
        window.record(figures.window)
        consuming.record(figures.isConsuming ? 1 : 0)
        stalled.record(figures.stalled.seconds)
    }
}

extension Gauge {
    fileprivate convenience init(
        _ name: MetricName, _ dimensions: [(String, String)], _ factory: any MetricsFactory
    ) {
        self.init(label: name.rawValue, dimensions: dimensions, factory: factory)
    }
}
