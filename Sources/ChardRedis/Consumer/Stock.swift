// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// All that a consumer holds, and in which order its leased lists stand.
struct Stock: Sendable {
    private var holdings = Holdings()
    /// What is known of each leased list, by the waiting list it belongs to.
    private var lists: [String: LeasedList] = [:]
    /// What is held and was not handed out yet, oldest first.
    private(set) var spare: [Delivery] = []

    /// How many messages are known to be held.
    var count: Int { holdings.count }

    /// Notes what a claim has moved.
    mutating func hold(_ deliveries: [Delivery]) {
        holdings.add(deliveries)
        enter(deliveries)
    }

    /// Notes what a pop has moved; false where it had been adopted before.
    mutating func holdPopped(_ delivery: Delivery) -> Bool {
        guard !holdings.wasAdopted(delivery) else { return false }
        hold([delivery])
        return true
    }

    /// The pop on this list has ended without a message.
    mutating func poppedNothing(from place: String) {
        holdings.announcesNothing(from: place)
    }

    private mutating func enter(_ deliveries: [Delivery]) {
        for delivery in deliveries { lists[delivery.place, default: LeasedList()].add(delivery) }
    }

    // MARK: What nobody told of

    /// To be called before a leased list is read.
    mutating func beginReading() {
        holdings.beginReading()
    }

    mutating func giveUpReading() {
        holdings.giveUpReading()
    }

    /// Holds from now on what a leased list was read to hold and was not known; `isPopping` if a pop on its waiting list is
    /// under way.
    ///
    /// - Returns: How many these are.
    mutating func adopt(in held: [Delivery], isPopping: Bool) -> Int {
        let unknown = holdings.unknown(in: held)
        holdings.adopt(unknown, isPopping: isPopping)
        enter(unknown)
        spare += unknown
        return unknown.count
    }

    // MARK: What waits to be handed out

    mutating func keep(_ deliveries: [Delivery]) {
        spare += deliveries
    }

    mutating func takeSpare(upTo count: Int = .max) -> [Delivery] {
        let taken = Array(spare.prefix(count))
        spare.removeFirst(taken.count)
        return taken
    }

    mutating func takeSpare(of queues: Set<String>) -> [Delivery] {
        let taken = spare.filter { queues.contains($0.queue) }
        if !taken.isEmpty { spare.removeAll { queues.contains($0.queue) } }
        return taken
    }

    // MARK: What is settled

    /// Takes deliveries of one list out of what is known of its order: all at once if they can be dropped by count, or each by
    /// itself.
    /// - Returns: The cut; `nil` where each was taken out, or where none was since there is no such cut.
    mutating func takeOut(_ deliveries: [Delivery], asCut: Bool) -> LeasedList.Cut? {
        guard let place = deliveries.first?.place, var list = lists.removeValue(forKey: place) else { return nil }
        defer { lists[place] = list }
        if asCut { return list.cut(deliveries) }
        for delivery in deliveries { list.remove(delivery) }
        return nil
    }

    /// These have left their lists.
    mutating func remove(_ deliveries: [Delivery]) {
        for delivery in deliveries { holdings.remove(delivery) }
    }

    /// This one has left its list.
    mutating func remove(_ delivery: Delivery) {
        holdings.remove(delivery)
    }

    /// This one, which was taken out, is still in its list, in whatever place.
    mutating func doubtOrder(after delivery: Delivery) {
        lists[delivery.place, default: LeasedList()].doubt(stillHeld: 1)
    }
}
