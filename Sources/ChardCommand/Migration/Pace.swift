// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Says when to speak again: once a second.
final class Pace: Sendable {
    private let last = Mutex(ContinuousClock.now)

    func isTime() -> Bool {
        last.withLock { last in
            guard ContinuousClock.now - last >= .seconds(1) else { return false }
            last = .now
            return true
        }
    }
}
