// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What must be so of a message before the call that sends it returns: `EnqueueOptions(durability: .replicas(1))`.
public struct Durability: Sendable, Hashable {
    /// How many replicas must have taken it, besides the server that it was sent to.
    public var replicas: Int
    /// How long to wait for them.
    public var patience: Duration

    /// So many replicas have taken the message: then it is not lost if the primary fails and one of them takes its place. On
    /// Redis, by `WAIT`.
    ///
    /// Where they have not in time, the call throws ``NotReplicated``; the message was sent all the same. A millisecond is the
    /// shortest time there is.
    public static func replicas(_ count: Int, within patience: Duration = .seconds(1)) -> Durability {
        Durability(replicas: count, patience: patience)
    }

    /// What makes no sense in it.
    var problem: String? {
        if replicas < 1 { return "its durability asks for \(replicas) replicas; it must be one or more" }
        if patience < .milliseconds(1) { return "its durability waits for \(patience); a millisecond is the least" }
        return nil
    }

    /// Whatever one of two asks for.
    static func stricter(_ one: Durability?, _ other: Durability?) -> Durability? {
        guard let one, let other else { return one ?? other }
        return .replicas(max(one.replicas, other.replicas), within: max(one.patience, other.patience))
    }
}
