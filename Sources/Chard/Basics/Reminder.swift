// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// When to say again what goes on and on: at once, then every half minute, so that no log is flooded.
package struct Reminder: Sendable {
    private var saidAt: ContinuousClock.Instant?

    package init() {}

    /// Whether anything was said.
    package var hasSaid: Bool { saidAt != nil }

    /// Whether it is to be said now; then that is noted.
    package mutating func isDue(at now: ContinuousClock.Instant = .now) -> Bool {
        if let saidAt, now - saidAt < .seconds(30) { return false }
        saidAt = now
        return true
    }
}
