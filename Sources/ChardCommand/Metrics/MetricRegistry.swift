// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import CoreMetrics
import Synchronization

/// A backend of swift-metrics that keeps what it is told, for Prometheus to read.
///
/// Names become Prometheus': counters end in `_total`, timers in `_seconds`, and what may not be in a name is `_`. Timers are
/// histograms, recorders that aggregate summaries. Beside what is told in this process it adds up what others tell (``add(_:from:)``).
final class MetricRegistry: MetricsFactory, Sendable {
    /// What a process tells of one series.
    struct Change: Sendable, Codable {
        var key: MetricKey
        var value: MetricValue
    }

    private struct State {
        var series: [MetricKey: MetricSeries] = [:]
        /// Which kind a name stands for: one name has one kind.
        var kinds: [String: MetricKind] = [:]
        /// The gauges of other processes: they are added up, and end with their process.
        var parts: [MetricKey: [Int32: Double]] = [:]
    }
    private let state = Mutex(State())

    /// Everything there is, by name.
    var all: [(key: MetricKey, value: MetricValue)] {
        state.withLock { Array($0.series.values) }.map { ($0.key, $0.value) }.sorted { $0.key < $1.key }
    }

    private func series(_ label: String, _ dimensions: [(String, String)], _ kind: MetricKind, suffix: String = "")
        -> MetricSeries
    {
        var name = MetricText.name(label)
        if !name.hasSuffix(suffix) { name += suffix }
        let labels = dimensions.map { MetricKey.Label(name: MetricText.labelName($0.0), value: $0.1) }
        return series(MetricKey(name: name, kind: kind, labels: labels.sorted { $0.name < $1.name }))
    }

    private func series(_ key: MetricKey) -> MetricSeries {
        state.withLock { state in
            var key = key
            if let kind = state.kinds[key.name], kind != key.kind { key.name += "_\(key.kind.rawValue)" }
            state.kinds[key.name] = key.kind
            let series = state.series[key] ?? MetricSeries(key)
            state.series[key] = series
            return series
        }
    }

    private func forget(_ handler: Any) {
        guard let series = handler as? MetricSeries else { return }
        state.withLock { $0.series[series.key] = nil }
    }

    // MARK: Of many processes

    /// What has changed since the last time.
    func takeChanges() -> [Change] {
        state.withLock { Array($0.series.values) }
            .compactMap { series in series.takeChange().map { Change(key: series.key, value: $0) } }
    }

    /// Adds what a process tells: counters and histograms for good, gauges until it ends.
    func add(_ changes: [Change], from process: Int32) {
        for change in changes {
            let series = series(change.key)
            guard change.key.kind == .gauge else {
                series.change { $0.add(change.value) }
                continue
            }
            let sum = state.withLock { state in
                state.parts[series.key, default: [:]][process] = change.value.sum
                return state.parts[series.key]?.values.reduce(0, +) ?? 0
            }
            series.set(sum)
        }
    }

    /// Takes the gauges of a process that has ended out of the sums.
    func forget(process: Int32) {
        let changed = state.withLock { state in
            var changed: [(MetricSeries, Double)] = []
            for key in state.parts.keys where state.parts[key]?.removeValue(forKey: process) != nil {
                guard let series = state.series[key] else { continue }
                changed.append((series, state.parts[key]?.values.reduce(0, +) ?? 0))
            }
            return changed
        }
        for (series, sum) in changed { series.set(sum) }
    }
}

extension MetricRegistry {
    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions, .counter, suffix: "_total")
    }

    func makeFloatingPointCounter(label: String, dimensions: [(String, String)]) -> any FloatingPointCounterHandler {
        series(label, dimensions, .counter, suffix: "_total")
    }

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions, .gauge)
    }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        series(label, dimensions, aggregate ? .summary : .gauge)
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, dimensions, .histogram, suffix: "_seconds")
    }

    func destroyCounter(_ handler: any CounterHandler) { forget(handler) }
    func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { forget(handler) }
    func destroyMeter(_ handler: any MeterHandler) { forget(handler) }
    func destroyRecorder(_ handler: any RecorderHandler) { forget(handler) }
    func destroyTimer(_ handler: any TimerHandler) { forget(handler) }
}
