// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A broker that workers of another kind use as well, which look for messages nowhere but in their queues: an optional power,
/// which whoever sends with an ETA asks for.
public protocol SharedBroker: Broker {
    /// Those of the queues that no worker of Chard serves just now, if there are workers of another kind: a message for one of them
    /// must go there at once, for its worker to hold. Empty where that cannot be found out; what it says may be some seconds old.
    func queuesOfOthers(among queues: Set<String>) async -> Set<String>
}
