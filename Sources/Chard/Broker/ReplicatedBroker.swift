// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A broker whose server may have replicas: an optional power, which ``EnqueueOptions/durability`` asks for.
public protocol ReplicatedBroker: Broker {
    /// Sends messages, and waits until so many replicas have taken them.
    ///
    /// - Returns: What became of each message, in the same order.
    /// - Throws: ``NotReplicated`` where they have not in time.
    func send(_ messages: [OutgoingMessage], durability: Durability) async throws -> [Placement]
}
