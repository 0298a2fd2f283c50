// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Synchronization

/// Calls back when the earliest of the times it was armed with may have come; whoever is called looks at the clock.
final class MemoryTimer: Sendable {
    private let state = Mutex<(at: Date, task: Task<Void, Never>)?>(nil)

    /// Waits from `now` to `date`, both by the broker's clock: one that a test has stopped must not keep this spinning.
    func arm(at date: Date, now: Date, _ action: @escaping @Sendable () -> Void) {
        state.withLock { state in
            if let armed = state, armed.at <= date, armed.at > now { return }
            state?.task.cancel()
            // A day at most, which any clock can count; then it is armed again.
            let wait = min(max(0, date.timeIntervalSince(now)), 86_400)
            let task = Task {
                guard (try? await Task.sleep(for: .seconds(wait), tolerance: .zero)) != nil else { return }
                self.state.withLock { $0 = nil }
                action()
            }
            state = (date, task)
        }
    }
}
