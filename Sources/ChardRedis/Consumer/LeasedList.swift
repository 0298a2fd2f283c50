// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// What is known of a leased list: the order in which it stands, so that a batch of its oldest messages can be dropped by
/// count: naming each of them costs the server more than all the rest of a settlement.
///
/// A list grows at its newest end. Of what claims bring the places are known, since answers come in the order of the
/// claims. Of *strangers* they are not: what a blocking pop brought, over another connection, or what was adopted. While one
/// of them is held, nothing is dropped by count. A value without I/O.
struct LeasedList: Sendable {
    /// The oldest messages of a list, to be dropped together.
    struct Cut: Sendable, Hashable {
        /// How many.
        var count: Int
        /// The newest of them: if the list has something else in this place, it is not as it is thought to be.
        var newest: Mark
        /// Those among them that are still held, newest first, to be put back.
        var kept: [[UInt8]]
    }

    /// What a message is known by, as a large one would be costly to send and compare: its size and its end, where the
    /// envelope has its delivery tag. All of a small one.
    struct Mark: Sendable, Hashable {
        static let length = 1_024

        let size: Int
        let end: ArraySlice<UInt8>

        init(_ payload: [UInt8]) {
            size = payload.count
            end = payload.suffix(Self.length)
        }
    }

    /// Lua takes a few thousand values apart at once, and no more.
    private static let mostKept = 1_000

    private struct Place {
        var number: Int64
        var payload: [UInt8]
    }

    /// Oldest first.
    private var known: [Place] = []
    private var strangers = 0

    mutating func add(_ delivery: Delivery) {
        if delivery.number > 0, delivery.excerptOf == nil {
            known.append(Place(number: delivery.number, payload: delivery.payload))
        } else {
            strangers += 1
        }
    }

    /// A message is about to be removed by itself.
    mutating func remove(_ delivery: Delivery) {
        if let index = known.firstIndex(where: { $0.number == delivery.number }) {
            known.remove(at: index)
        } else {
            strangers = max(0, strangers - 1)
        }
    }

    /// Takes these out by count, where that is possible and sends less than naming them would.
    mutating func cut(_ deliveries: some Collection<Delivery>) -> Cut? {
        let numbers = Set(deliveries.lazy.map(\.number))
        guard strangers == 0, numbers.count == deliveries.count,
            let newest = known.lastIndex(where: { numbers.contains($0.number) })
        else { return nil }
        let kept = known[...newest].filter { !numbers.contains($0.number) }
        let mark = Mark(known[newest].payload)
        guard newest + 1 - kept.count == numbers.count, kept.count < min(numbers.count, Self.mostKept),
            // Its place would say nothing if there were another such message.
            known.count(where: { Mark($0.payload) == mark }) == 1,
            kept.reduce(0, { $0 + $1.payload.count }) < deliveries.reduce(0, { $0 + $1.payload.count })
        else { return nil }
        let cut = Cut(count: newest + 1, newest: mark, kept: kept.reversed().map(\.payload))
        known.replaceSubrange(...newest, with: kept)
        return cut
    }

    /// These are still in the list, in whatever place, and nothing of its order is certain.
    mutating func doubt(stillHeld count: Int) {
        strangers += known.count + count
        known = []
    }
}
