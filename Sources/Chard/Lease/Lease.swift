// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A consumer's lease, from its opening to its end: a value for whatever lock the consumer keeps its state under.
///
/// Once it is in doubt it is over for good, and the consumer with it: nothing is claimed, settled or handed out any more.
/// Closing comes after that, once, and hands back what others have not yet taken.
package struct Lease: Sendable {
    private(set) package var clock: LeaseClock
    private(set) package var isOver = false
    private var isClosed = false
    private var failure: BrokerError?

    package init(_ clock: LeaseClock) {
        self.clock = clock
    }

    package mutating func renewed(sentAt: ContinuousClock.Instant) {
        clock.renewed(sentAt: sentAt)
    }

    /// Whether something may be claimed or settled under it.
    package func holds(at now: ContinuousClock.Instant) -> Bool {
        !isOver && clock.holds(at: now)
    }

    /// Why nothing may be claimed or settled, if that is so. With the code `leaseLost` it is for the consumer to end.
    package func trouble(at now: ContinuousClock.Instant, of identity: String) -> BrokerError? {
        if let failure { return failure }
        return holds(at: now) ? nil : BrokerError(.leaseLost, "the lease of \(identity) is over or in doubt")
    }

    /// Ends it. Returns whether it was not over before.
    package mutating func end() -> Bool {
        defer { isOver = true }
        return !isOver
    }

    /// Closes it, by which it is over, too. Returns whether it was not closed before: whether the caller is to hand back.
    package mutating func close() -> Bool {
        defer { (isOver, isClosed) = (true, true) }
        return !isClosed
    }

    /// Has every call fail with this error from now on, whether the lease holds or not.
    package mutating func fail(_ error: BrokerError) {
        failure = error
    }
}
