// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What must change in the broker when a delivery is over: its message leaves the leased ones, and these effects are written,
/// in one atomic step that is fenced by the lease.
///
/// If the lease is gone nothing of it is written, and the receipt says so. If an effect cannot be written, the message stays
/// leased and none of the others is written either; nor if a join wants the step otherwise, see ``JoinAnswer``. A settlement
/// without effects is a message that was dealt with, and of which nothing is to be known.
public struct Settlement: Sendable {
    /// The delivery that ends.
    public var delivery: Delivery
    /// What it leaves behind, in this order.
    public var effects: Effects

    /// Makes a settlement of `delivery`.
    public init(_ delivery: Delivery, _ effects: Effects = []) {
        self.delivery = delivery
        self.effects = effects
    }

    /// Gives a delivery back: to the front of its queue, uncounted, as if it had never been claimed.
    public static func handingBack(_ delivery: Delivery) -> Settlement {
        Settlement(delivery, [.putBack(as: nil)])
    }
}
