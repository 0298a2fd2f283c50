// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A join as a broker has it, to be taken to another one.
package struct MovedJoin: Sendable, Hashable {
    /// The id of the group.
    package var group: String
    /// How many members are to end; `nil` if it was not opened, or all have succeeded.
    package var size: Int?
    /// Whether what follows was sent, or has failed.
    package var isClosed: Bool
    /// Celery's result tuples of the members, where they are stored.
    package var members: [UInt8]?
    /// The ends that were counted, in the order of their places.
    package var ends: [JoinPart]
    /// How long it is kept; `nil` means for ever.
    package var timeToLive: Duration?

    /// Makes a join.
    package init(
        group: String, size: Int?, isClosed: Bool, members: [UInt8]?, ends: [JoinPart], timeToLive: Duration?
    ) {
        self.group = group
        self.size = size
        self.isClosed = isClosed
        self.members = members
        self.ends = ends
        self.timeToLive = timeToLive
    }
}

/// A record as a broker has it, to be taken to another one.
package struct MovedRecord: Sendable, Hashable {
    /// Its id.
    package var id: String
    /// Its values, by their names.
    package var values: [String: [UInt8]]
    /// When it was made, if it is among those that are listed.
    package var since: Date?
    /// How long it is kept.
    package var timeToLive: Duration

    /// Makes a record.
    package init(id: String, values: [String: [UInt8]], since: Date?, timeToLive: Duration) {
        self.id = id
        self.values = values
        self.since = since
        self.timeToLive = timeToLive
    }
}
