// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import CoreMetrics
import Synchronization

/// What kind a metric is of, in Prometheus' words.
enum MetricKind: String, Sendable, Hashable, Codable {
    case counter, gauge, histogram, summary
}

/// Which series: the name and the labels.
struct MetricKey: Sendable, Hashable, Codable, Comparable {
    struct Label: Sendable, Hashable, Codable {
        var name: String
        var value: String
    }

    var name: String
    var kind: MetricKind
    var labels: [Label]

    static func < (one: Self, other: Self) -> Bool {
        guard one.name == other.name else { return one.name < other.name }
        return one.labels.lexicographicallyPrecedes(other.labels) { ($0.name, $0.value) < ($1.name, $1.value) }
    }
}

/// The value of a counter or gauge, or what a histogram or summary has seen.
struct MetricValue: Sendable, Hashable, Codable {
    /// The value; of what was observed, the sum.
    var sum = 0.0
    /// How much was observed.
    var count = 0
    /// How much fell into each of ``bounds``, what is larger left out.
    var buckets: [Int] = []

    /// The upper bounds of a histogram's buckets, in seconds: from a task that does nothing to one of an hour.
    static let bounds: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 3_600,
    ]

    mutating func observe(_ value: Double, inBuckets: Bool) {
        sum += value
        count += 1
        guard inBuckets, let index = Self.bounds.firstIndex(where: { value <= $0 }) else { return }
        if buckets.isEmpty { buckets = Array(repeating: 0, count: Self.bounds.count) }
        buckets[index] += 1
    }

    /// What has come since `other`.
    func subtracting(_ other: Self) -> Self {
        var rest = Self(sum: sum - other.sum, count: count - other.count, buckets: buckets)
        for (index, bucket) in other.buckets.enumerated() { rest.buckets[index] -= bucket }
        return rest
    }

    mutating func add(_ other: Self) {
        sum += other.sum
        count += other.count
        guard !other.buckets.isEmpty else { return }
        if buckets.isEmpty { buckets = Array(repeating: 0, count: Self.bounds.count) }
        // From another process, which may be of another version while a program is being replaced.
        for (index, bucket) in other.buckets.prefix(buckets.count).enumerated() { buckets[index] += bucket }
    }
}

/// One series of a ``MetricRegistry``.
final class MetricSeries: Sendable {
    let key: MetricKey
    private let state = Mutex(State())

    private struct State {
        var value = MetricValue()
        /// What was told of it as a change; `nil` before the first time, when nothing is news, too.
        var told: MetricValue?
    }

    init(_ key: MetricKey) {
        self.key = key
    }

    var value: MetricValue { state.withLock { $0.value } }

    func change(_ change: (inout MetricValue) -> Void) {
        state.withLock { change(&$0.value) }
    }

    func observe(_ value: Double) {
        change { $0.observe(value, inBuckets: key.kind == .histogram) }
    }

    /// What has changed since the last time: for a gauge its value, for all others what has been added; `nil` for nothing.
    func takeChange() -> MetricValue? {
        state.withLock { state in
            guard state.value != state.told else { return nil }
            defer { state.told = state.value }
            return key.kind == .gauge ? state.value : state.value.subtracting(state.told ?? MetricValue())
        }
    }
}

extension MetricSeries: CounterHandler, FloatingPointCounterHandler, MeterHandler {
    func increment(by amount: Int64) { change { $0.sum += Double(amount) } }
    func increment(by amount: Double) { change { $0.sum += amount } }
    func decrement(by amount: Double) { change { $0.sum -= amount } }
    func set(_ value: Int64) { change { $0.sum = Double(value) } }
    func set(_ value: Double) { change { $0.sum = value } }
    /// Does nothing: a counter that goes back would be taken for one of a new process.
    func reset() {}
}

extension MetricSeries: RecorderHandler, TimerHandler {
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        if key.kind == .gauge { set(value) } else { observe(value) }
    }

    func recordNanoseconds(_ duration: Int64) { observe(Double(duration) / 1e9) }
}
