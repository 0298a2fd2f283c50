// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A clock that stands still until it is moved.
final class ManualClock: Sendable {
    private let time: Mutex<Date>

    init(_ secondsSince1970: Double = 1_800_000_000) {
        time = Mutex(Date(timeIntervalSince1970: secondsSince1970))
    }

    var now: Date { time.withLock { $0 } }

    func advance(by seconds: Double) {
        time.withLock { $0 += seconds }
    }
}
