// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Messages that were sent, and that too few replicas are known to have taken in time.
///
/// They may run, and are lost only if the primary fails before its replicas have caught up. Who sends again gives the same id:
/// else the task may run twice under two ids.
public struct NotReplicated: Error, Sendable, Hashable, CustomStringConvertible {
    /// The ids of the tasks whose messages they are.
    public let ids: [String]
    /// How many replicas have taken all of them.
    public let reached: Int
    /// How many should have.
    public let wanted: Int

    /// Says how many replicas have taken some messages.
    public init(ids: [String], reached: Int, wanted: Int) {
        self.ids = ids
        self.reached = reached
        self.wanted = wanted
    }

    /// What has happened, and what to do about it.
    public var description: String {
        let what = ids.count == 1 ? "task \(ids[0]) was sent" : "\(ids.count) tasks were sent"
        return "\(what), but \(reached) of \(wanted) replicas took it in time; if the primary fails now it may be "
            + "lost; to send again, give the same id"
    }
}
