// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Lamport's clock, by which Celery orders what different machines say.
package final class LogicalClock: Sendable {
    private let time = Atomic(0)

    package init() {}

    /// What it shows.
    package var now: Int { time.load(ordering: .relaxed) }

    /// The time of something that happens here.
    @discardableResult
    package func forward() -> Int { time.wrappingAdd(1, ordering: .relaxed).newValue }

    /// Somebody else's clock shows this: what happens here from now on is later. A time that nobody can have counted up to is
    /// not believed.
    package func adjust(to other: Int) {
        guard other < 1 << 52 else { return }
        _ = time.max(other, ordering: .relaxed)
        forward()
    }
}
