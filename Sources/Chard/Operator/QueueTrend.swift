// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// How queues were filled of late, as somebody who has looked now and then knows it. A value.
package struct QueueTrend: Sendable {
    /// What waited in a queue at some time.
    package struct Sample: Sendable, Hashable {
        package var at: Date
        package var waiting: Int
    }

    /// Samples are at least so many seconds apart, and are forgotten after ten minutes.
    private static let (apart, window) = (5.0, 600.0)
    /// More queues are not watched.
    private static let mostQueues = 2_000

    private var samples: [String: [Sample]] = [:]
    private var last = Date.distantPast

    package init() {}

    /// Notes how queues are filled now.
    package mutating func note(_ reports: [QueueReport], at now: Date) {
        guard abs(now.timeIntervalSince(last)) >= Self.apart else { return }
        last = now
        var next: [String: [Sample]] = [:]
        for report in reports {
            let known = (samples[report.queue] ?? []).filter { now.timeIntervalSince($0.at) <= Self.window }
            // An empty queue that was empty all along is not worth remembering.
            guard report.waiting > 0 || known.contains(where: { $0.waiting > 0 }), next.count < Self.mostQueues else {
                continue
            }
            next[report.queue] = known + [Sample(at: now, waiting: report.waiting)]
        }
        samples = next
    }

    /// What was seen of a queue, the oldest first.
    package subscript(queue: String) -> [Sample] { samples[queue] ?? [] }

    /// The sample since which a queue has grown without shrinking between: by 10 and by a tenth at least, over 20 seconds or more.
    package func growth(of queue: String) -> Sample? {
        let samples = self[queue]
        guard var first = samples.last, let last = samples.last else { return nil }
        for sample in samples.reversed() {
            guard sample.waiting <= first.waiting else { break }
            first = sample
        }
        let more = last.waiting - first.waiting
        guard last.at.timeIntervalSince(first.at) >= 20, more >= 10, more * 10 >= first.waiting else { return nil }
        return first
    }
}
