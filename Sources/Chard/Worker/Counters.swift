// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What a worker process has done since it started, over all its sessions.
final class Counters: Sendable {
    struct Figures: Sendable, Hashable {
        var done = 0
        var failed = 0
        var fenced = 0
    }

    private let state = Mutex(Figures())

    var figures: Figures { state.withLock { $0 } }

    func count(_ batch: [Conclusion], _ receipts: [Receipt]) {
        state.withLock { figures in
            for (place, receipt) in zip(batch.indices, receipts) {
                let count = batch[place].count
                if case .fenced = receipt.end {
                    figures.fenced += 1
                } else if count != .none, !receipt.isRefusal {
                    figures.done += 1
                    if count == .failed { figures.failed += 1 }
                }
            }
        }
    }
}
