// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What must change in the broker when a delivery is over: one atomic step, fenced by the lease.
///
/// If the lease is gone nothing of it is written, and the receipt says so.
public struct Settlement: Sendable {
    /// What becomes of the message itself.
    public enum Fate: Sendable {
        /// It has been dealt with and leaves the broker.
        case finished
        /// It goes back to the front of its queue, uncounted, as if it had never been claimed.
        case returned
        /// It is kept among the dead letters.
        case dead(DeadLetter)
    }

    /// The delivery that ends.
    public var delivery: Delivery
    /// What becomes of its message.
    public var fate: Fate
    /// The status to store and publish in the same step, if any.
    public var status: StatusRecord?
    /// Messages to send in the same step: a retry, a message whose time has not come.
    public var followers: [OutgoingMessage]

    /// Makes a settlement of `delivery`.
    public init(
        _ delivery: Delivery, _ fate: Fate, status: StatusRecord? = nil, followers: [OutgoingMessage] = []
    ) {
        self.delivery = delivery
        self.fate = fate
        self.status = status
        self.followers = followers
    }
}

/// What came of a settlement.
public enum Receipt: Sendable, Hashable {
    /// Everything in it was written.
    case settled
    /// The lease was gone, so nothing was written: another worker owns the task now.
    case fenced
    /// The connection was cut between question and answer, and the lease was gone when asked again:
    /// either the first try was written whole, or nothing was.
    case uncertain
}
