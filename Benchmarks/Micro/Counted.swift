// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import AllocationCount
import Benchmark

extension BenchmarkMetric {
    /// Calls of `malloc` and its relatives; the benchmark package's own counts need a package that not everybody can get.
    static let allocations = BenchmarkMetric.custom("Allocations")
}

/// How many messages make up one batch: about as many as a busy worker claims and settles at once, and a divisor of 1000.
let batchCount = 125

/// A benchmark whose figures are for one message; those in `Benchmarks/Thresholds` are for a thousand.
///
/// - Parameters:
///   - messages: How many messages one call of `step` deals with; a divisor of 1000.
///   - step: What is measured; what it returns is thrown away.
func measure<Result>(
    _ name: String, messages: Int = 1, _ step: @escaping () async throws -> Result
) -> Benchmark? {
    let configuration = Benchmark.Configuration(
        metrics: [.wallClock, .allocations], timeUnits: .nanoseconds, units: [.allocations: .count],
        warmupIterations: 10, scalingFactor: .kilo, maxDuration: .seconds(1), maxIterations: 1_000)
    return Benchmark(name, configuration: configuration) { benchmark in
        let before = allocation_count()
        for _ in 0..<benchmark.scaledIterations.count / messages { blackHole(try await step()) }
        benchmark.measurement(.allocations, Int(allocation_count() - before))
    }
}
