// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Dispatch
import Synchronization

/// Tells the supervisor, once a second, how a worker does: on a queue of its own, that no body can keep busy.
final class ProcessReporter: Sendable {
    private let probes: WorkerProbes
    private let gauges: Gauges
    private let tell: @Sendable ([UInt8]) -> Void
    private let executor = QueueExecutor("chard.reports")
    private let timer = DispatchQueue(label: "chard.reports.timer")
    private let state = Mutex(State())

    private struct State {
        var isReporting = false
        var isOver = false
    }

    /// - Parameter tell: Gives the supervisor one report.
    init(
        _ worker: Worker, of app: Chard, _ registry: MetricRegistry, tell: @escaping @Sendable ([UInt8]) -> Void
    ) {
        probes = WorkerProbes(worker, of: app, registry)
        gauges = Gauges(app, worker: worker, factory: registry)
        self.tell = tell
        timer.async { [self] in tick() }
    }

    private func tick() {
        let (isOver, isFree) = state.withLock { state in
            defer { state.isReporting = true }
            return (state.isOver, !state.isReporting)
        }
        if isOver { return }
        timer.asyncAfter(deadline: .now() + 1) { [self] in tick() }
        guard isFree else { return }
        Task(executorPreference: executor) { [self] in
            let problem = await probes.whyNotLive()
            report(whyNotLive: problem)
            state.withLock { $0.isReporting = false }
        }
    }

    private func report(whyNotLive: String?) {
        gauges.recordWorker()
        let report = ProcessReport(
            whyNotLive: whyNotLive, whyNotReady: probes.whyNotConsuming, changes: probes.registry.takeChanges())
        guard let text = try? JSON.encode(report) else { return }
        tell(text)
    }

    /// Tells what was not told yet, once the worker has ended.
    func end() {
        state.withLock { $0.isOver = true }
        report(whyNotLive: nil)
    }
}
