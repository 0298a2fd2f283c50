// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A message that a consumer holds, and the lease by which it holds it.
///
/// The message stays in the broker until the delivery is settled: losing this value loses nothing.
public struct Delivery: Sendable, Hashable {
    /// The queue the message waited in.
    public let queue: String
    /// The envelope, as it travelled; only its beginning and end where ``excerptOf`` says so.
    public let payload: [UInt8]
    /// The size in bytes of a message that is larger than ``Subscription/messageLimit``: it cannot be run, only put aside,
    /// and did not travel whole. `nil` for all others.
    public let excerptOf: Int?
    /// Where the broker keeps the leased message: the waiting list's key on Redis.
    public let place: String
    /// The broker's own number of the lease, for brokers that know leases by number; 0 elsewhere.
    public let number: Int64

    /// Makes a delivery. Brokers call this; workers receive it.
    public init(queue: String, payload: [UInt8], place: String, number: Int64 = 0, excerptOf: Int? = nil) {
        self.queue = queue
        self.payload = payload
        self.place = place
        self.number = number
        self.excerptOf = excerptOf
    }
}
