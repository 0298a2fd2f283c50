// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Synchronization

/// Calls back when the earliest of the times it was armed with may have come; whoever is called looks at the clock.
final class MemoryTimer: Sendable {
    typealias Alarm = @Sendable (Date, @escaping @Sendable () -> Void) -> Void

    private let alarm: Alarm?
    private let state = Mutex<(at: Date, task: Task<Void, Never>?)?>(nil)

    /// Makes a timer that has itself called by `alarm`, or by the system's timers.
    init(_ alarm: Alarm?) {
        self.alarm = alarm
    }

    /// Waits from `now` to `date`, both by the broker's clock: one that a test has stopped must not keep this spinning.
    func arm(at date: Date, now: Date, _ action: @escaping @Sendable () -> Void) {
        let isNews = state.withLock { state in
            if let armed = state, armed.at <= date, armed.at > now { return false }
            state?.task?.cancel()
            state = (date, alarm == nil ? sleep(until: date, from: now, action) : nil)
            return true
        }
        guard isNews, let alarm else { return }
        alarm(date) { [weak self] in
            self?.state.withLock { $0 = nil }
            action()
        }
    }

    private func sleep(until date: Date, from now: Date, _ action: @escaping @Sendable () -> Void) -> Task<Void, Never>
    {
        // A day at most, which any clock can count; then it is armed again.
        let wait = min(max(0, date.timeIntervalSince(now)), 86_400)
        return Task {
            guard (try? await Task.sleep(for: .seconds(wait), tolerance: .zero)) != nil else { return }
            self.state.withLock { $0 = nil }
            action()
        }
    }
}
