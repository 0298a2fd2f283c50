// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// What a workload came to. What does not apply stays `nil` and is not shown.
struct Measurement: Sendable {
    let workload: String
    let count: Int
    var seconds: Double?
    /// Each sample in seconds: what the percentiles are of.
    var samples: [Double] = []
    /// Samples that only `latency` has: from the call to the start of the body.
    var starts: [Double] = []
    var workerProcessor: Double?
    var brokerProcessor: Double?
    var peakMemory: Int?

    init(_ workload: String, count: Int) {
        self.workload = workload
        self.count = count
    }

    private var rate: Double? { seconds.map { Double(count) / $0 } }

    var document: JSON {
        var fields: [String: JSON] = ["workload": .string(workload), "count": .integer(count)]
        fields["seconds"] = seconds.map(JSON.number)
        fields["tasks_per_second"] = rate.map { .number($0.rounded()) }
        for percent in [50, 95, 99] {
            fields["p\(percent)_ms"] = samples.percentile(percent).map { .number($0 * 1000) }
            fields["start_p\(percent)_ms"] = starts.percentile(percent).map { .number($0 * 1000) }
        }
        fields["worker_cpu_s"] = workerProcessor.map(JSON.number)
        fields["broker_cpu_s"] = brokerProcessor.map(JSON.number)
        fields["peak_rss_bytes"] = peakMemory.map(JSON.integer)
        return .object(fields)
    }

    var listing: String {
        var listing = Listing()
        listing.add("workload", workload)
        listing.add("count", "\(count)")
        listing.add("seconds", seconds.map { $0.text(3) })
        listing.add("tasks per second", rate.map { "\(Int($0.rounded()))" })
        listing.add("to the start (p50, p95, p99)", starts.percentiles)
        listing.add(starts.isEmpty ? "late (p50, p95, p99)" : "to the result (p50, p95, p99)", samples.percentiles)
        listing.add("worker's processor time per task", workerProcessor.map(perTask))
        listing.add("broker's processor time per task", brokerProcessor.map(perTask))
        listing.add("largest resident memory", peakMemory.map { "\((Double($0) / 1_048_576).text(1)) MiB" })
        return listing.text
    }

    private func perTask(_ seconds: Double) -> String { "\((seconds / Double(max(1, count)) * 1e6).text(1)) µs" }
}

extension [Double] {
    /// The sample below which so many percent of all lie.
    func percentile(_ percent: Int) -> Double? {
        isEmpty ? nil : sorted()[Swift.min(count - 1, count * percent / 100)]
    }

    fileprivate var percentiles: String? {
        guard let p50 = percentile(50), let p95 = percentile(95), let p99 = percentile(99) else { return nil }
        return [p50, p95, p99].map { ($0 * 1000).text(2) }.joined(separator: ", ") + " ms"
    }
}

extension Double {
    /// The number with so many decimals at most.
    fileprivate func text(_ decimals: Int) -> String {
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        return "\((self * scale).rounded() / scale)"
    }
}
