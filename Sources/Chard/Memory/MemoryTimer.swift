// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Synchronization

/// Calls back when the earliest of the times it was armed with has come.
final class MemoryTimer: Sendable {
    private let state = Mutex<(at: Date, task: Task<Void, Never>)?>(nil)

    func arm(at date: Date, _ action: @escaping @Sendable () -> Void) {
        state.withLock { state in
            if let armed = state, armed.at <= date, armed.at > Date() { return }
            state?.task.cancel()
            let wait = max(0, date.timeIntervalSinceNow)
            let task = Task {
                guard (try? await Task.sleep(for: .seconds(wait), tolerance: .zero)) != nil else { return }
                self.state.withLock { $0 = nil }
                action()
            }
            state = (date, task)
        }
    }
}
