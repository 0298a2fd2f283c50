// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

@testable import ChardRedis

/// What a consumer's machine needs of a Redis server, in plain code: lists, blocking pops, a heartbeat and orders.
struct FakeServer {
    /// A pop that the server has, whether or not its client is still there.
    struct BlockedPop {
        /// The client's side of it, which may be gone.
        var token: Int
        var list: WaitingList
        var until: ContinuousClock.Instant
    }

    /// By the list's key, the next one first.
    var waiting: [String: [[UInt8]]] = [:]
    /// By the key of the waiting list, the oldest first.
    var leased: [String: [[UInt8]]] = [:]
    var orders = 0
    var paused: Set<String> = []
    var heartbeatUntil: ContinuousClock.Instant
    var blocked: [BlockedPop] = []

    var presentOrders: KnownOrders { KnownOrders(orders, paused: paused) }

    /// Gives a pop that waits on a list what has come there; whom, and what.
    mutating func serve(_ list: String) -> (token: Int, payload: [UInt8])? {
        guard let index = blocked.firstIndex(where: { $0.list.key == list }), let payload = move(list) else {
            return nil
        }
        return (blocked.remove(at: index).token, payload)
    }

    @discardableResult
    mutating func move(_ list: String) -> [UInt8]? {
        guard waiting[list]?.isEmpty == false, let payload = waiting[list]?.removeFirst() else { return nil }
        leased[list, default: []].append(payload)
        return payload
    }

    /// Puts what is held by the consumer back to the front, as a recoverer or the end of the consumer does.
    mutating func handBack() {
        for (list, held) in leased { waiting[list, default: []].insert(contentsOf: held, at: 0) }
        leased = [:]
    }

    mutating func claim(_ request: ClaimRequest, at now: ContinuousClock.Instant) -> ClaimAnswer {
        guard now < heartbeatUntil else { return .lapsed }
        guard request.orders == orders else { return .otherOrders(orders) }
        var deliveries: [Delivery] = []
        for start in stride(from: 0, to: request.lists.count, by: request.width) {
            var open = Array(request.lists[start..<start + request.width])
            while !open.isEmpty, deliveries.count < request.count {
                open = open.filter { list in
                    guard deliveries.count < request.count, let payload = move(list.key) else { return false }
                    deliveries.append(
                        Delivery(
                            queue: list.queue, payload: payload, place: list.place, number: DeliveryNumber.next()))
                    return true
                }
            }
        }
        return .moved(deliveries)
    }

    /// Returns whether the message was there.
    mutating func remove(_ delivery: Delivery, returning: Bool) -> Bool {
        guard let index = leased[delivery.place]?.firstIndex(of: delivery.payload) else { return false }
        leased[delivery.place]?.remove(at: index)
        if returning { waiting[delivery.place, default: []].insert(delivery.payload, at: 0) }
        return true
    }

    /// Drops a list's oldest messages; what is gone, or nil if the list does not stand as it should.
    mutating func drop(_ cut: LeasedList.Cut, from list: String) -> [[UInt8]]? {
        let held = leased[list] ?? []
        guard held.count >= cut.count, LeasedList.Mark(held[cut.count - 1]) == cut.newest else { return nil }
        leased[list] = cut.kept.reversed() + held.dropFirst(cut.count)
        return held.prefix(cut.count).filter { !cut.kept.contains($0) }
    }
}
