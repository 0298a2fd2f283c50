// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import CoreMetrics

/// One worker, as it is seen from outside.
///
/// It lives while its intake goes on and the thread that claims, settles and renews answers, also while the broker is away: no new
/// start mends that. It is ready while it takes work and its broker answers.
final class WorkerProbes: ProbeSource {
    /// So long the worker's thread may take for a sign of life.
    private static let patience = Duration.seconds(5)

    let registry: MetricRegistry
    private let worker: Worker
    private let broker: ProbedBroker

    init(_ worker: Worker, of app: Chard, _ registry: MetricRegistry) {
        self.worker = worker
        self.registry = registry
        broker = ProbedBroker(app, Gauges(app, worker: worker, factory: registry))
    }

    func whyNotLive() async -> String? {
        let stalled = worker.figures.stalled
        if stalled > .zero { return "the intake stands still for \(Int(stalled.seconds)) s" }
        if await worker.answers(within: Self.patience) == false {
            return "the worker's thread does not answer within \(Self.patience)"
        }
        return nil
    }

    /// Why the worker takes no work, whatever its broker says.
    var whyNotConsuming: String? {
        if worker.hasEnded { return "the worker has ended" }
        return worker.figures.isConsuming ? nil : "the worker takes no work: it starts, ends, or has lost its lease"
    }

    func whyNotReady() async -> String? {
        if let problem = whyNotConsuming { return problem }
        return await broker.whyNotReached()
    }

    func metrics() async -> String {
        await broker.record()
        return MetricText.render(registry)
    }
}

extension MetricRegistry {
    /// A registry of what workers of `app` do; of the program's own metrics, too, unless it has another backend for them.
    static func observing(_ app: Chard) -> MetricRegistry {
        let registry = MetricRegistry()
        if MetricsSystem.factory is NOOPMetricsHandler { MetricsSystem.bootstrap(registry) }
        app.add(observer: TaskMetrics(app, factory: registry))
        return registry
    }
}
