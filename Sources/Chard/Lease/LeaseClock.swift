// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Whether a process may believe that its lease holds.
///
/// The others count the lease from when the last renewal was written. That was no earlier than the renewal was sent, so
/// counting from the sending, by a monotonic clock that goes on while the machine sleeps, errs on the safe side only.
package struct LeaseClock: Sendable {
    private let trusted: Duration
    private var renewedAt: ContinuousClock.Instant

    package init(lease: Duration, renewedAt: ContinuousClock.Instant) {
        // What is left is for clocks that run at different speeds and for acting on the loss.
        trusted = lease * 0.9
        self.renewedAt = renewedAt
    }

    /// A renewal was written that was sent at `sentAt`; the answers may come in another order.
    package mutating func renewed(sentAt: ContinuousClock.Instant) {
        renewedAt = max(renewedAt, sentAt)
    }

    /// When the lease is to be taken for lost, unless it is renewed before.
    package var endsAt: ContinuousClock.Instant { renewedAt + trusted }

    /// Whether the lease holds.
    package func holds(at now: ContinuousClock.Instant) -> Bool {
        now < endsAt
    }
}
