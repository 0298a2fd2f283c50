// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Whether a process may believe that its lease holds.
///
/// The lease ends by the server's clock, a known time after the server executed the last renewal. That was no earlier
/// than the renewal was sent, so counting from the sending by a monotonic clock, which goes on while the machine sleeps,
/// errs on the safe side only.
struct LeaseClock: Sendable {
    private let trusted: Duration
    private(set) var renewedAt: ContinuousClock.Instant

    init(lease: Duration, renewedAt: ContinuousClock.Instant) {
        // What is left is for clocks that run at different speeds and for acting on the loss.
        trusted = lease * 0.9
        self.renewedAt = renewedAt
    }

    mutating func renewed(sentAt: ContinuousClock.Instant) {
        renewedAt = max(renewedAt, sentAt)
    }

    func holds(at now: ContinuousClock.Instant) -> Bool {
        now - renewedAt < trusted
    }
}
