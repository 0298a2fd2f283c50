// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// Remembers how queues were filled while somebody has looked.
actor TrendKeeper {
    private(set) var trend = QueueTrend()

    func note(_ reports: [QueueReport], at now: Date) { trend.note(reports, at: now) }
}
