// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization

/// How to wait for another process that writes: often and briefly, since most writes take a few milliseconds. SQLite's own
/// way is to sleep for up to 100 ms.
final class BusyWait: Sendable {
    private let timeout: Duration
    private let state: Mutex<(startedAt: ContinuousClock.Instant, patience: Duration)>

    init(_ timeout: Duration) {
        self.timeout = timeout
        state = Mutex((.now, timeout))
    }

    func shouldTryAgain(_ tries: Int) -> Bool {
        let isOver = state.withLock { state in
            if tries == 0 { state.startedAt = .now }
            return .now - state.startedAt >= state.patience
        }
        if isOver { return false }
        Self.pause(try: tries)
        return true
    }

    /// Does something that is given up where others are in the way for longer than `patience`.
    func atMost<Value>(_ patience: Duration, _ body: () throws -> Value) rethrows -> Value {
        state.withLock { $0.patience = patience }
        defer { state.withLock { $0.patience = timeout } }
        return try body()
    }

    /// From 0.2 ms to 3 ms, a little at random, so that those who wait do not come at the same time again and again.
    static func pause(try count: Int) {
        let microseconds = Int.random(in: 100...200) * min(count + 1, 15)
        _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .microseconds(microseconds))
    }
}
