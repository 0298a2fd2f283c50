// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Synchronization

/// What a claim's script is asked for.
struct ClaimRequest: Sendable, Hashable {
    /// In the order of service.
    var lists: [WaitingList]
    /// How many of them belong to one step of priority.
    var width: Int
    var count: Int
    /// The number of the orders that are known.
    var orders: Int
}

/// What a claim's script has answered.
enum ClaimAnswer: Sendable {
    case moved([Delivery])
    /// The orders have another number, this one; nothing was moved.
    case otherOrders(Int)
    /// The heartbeat is gone.
    case lapsed
    case failed(RedisError)
}

/// Large messages that are to be moved without a script, over the connection of a pop.
struct TakeRequest: Sendable, Hashable {
    var pop: PopID
    var list: WaitingList
    var count: Int
    /// The number of the orders that are known.
    var orders: Int
    /// The lists that come before this one, or have the same right.
    var rivals: [String]
}

/// What the answers to such moves were.
struct TakeAnswer: Sendable {
    var deliveries: [Delivery]
    var isLeaseHeld: Bool
    /// The number of the present orders.
    var orders: Int
    /// Whether there is something in a rival list.
    var hasRivals: Bool
}

/// Numbers for what claims bring. Of all consumers together: a delivery of one that is over must not be taken for another's.
enum DeliveryNumber {
    private static let last = Atomic<Int64>(0)

    static func next() -> Int64 { last.add(1, ordering: .relaxed).newValue }
}
