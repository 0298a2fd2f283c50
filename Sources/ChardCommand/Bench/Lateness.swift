// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// How late tasks were, gathered from many runs at once.
final class Lateness: Sendable {
    private let samples = Mutex<[Double]>([])

    func note(_ seconds: Double) {
        samples.withLock { $0.append(seconds) }
    }

    var all: [Double] { samples.withLock { $0 } }
}
