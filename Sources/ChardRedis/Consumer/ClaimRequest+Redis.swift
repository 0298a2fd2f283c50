// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension ClaimRequest {
    /// The script that is to answer this.
    func command(_ keys: RedisKeys, identity: String, _ limits: FetchLimits) -> RedisCommand {
        var names = [keys.heartbeat(identity), keys.orders]
        names.reserveCapacity(2 + 2 * lists.count)
        for list in lists {
            names.append(list.key)
            names.append(list.leased)
        }
        return RedisScript.claim.command(
            keys: names, orders, count, width, limits.claim.bytes, limits.claim.message)
    }

    func read(_ reply: Result<RESPValue, RedisError>) -> ClaimAnswer {
        guard case .success(let reply) = reply else {
            guard case .failure(let error) = reply else { return .lapsed }
            return .failed(error)
        }
        guard let parts = reply.array else { return .lapsed }
        let number = (parts.first ?? .null).orderNumber
        guard number == orders else { return .otherOrders(number) }
        var deliveries: [Delivery] = []
        deliveries.reserveCapacity(parts.count / 2)
        for index in stride(from: 1, to: parts.count - 1, by: 2) {
            guard let pair = parts[index].integer, let message = HeldMessage(parts[index + 1]) else { continue }
            deliveries.append(message.delivery(from: lists[pair - 1], number: DeliveryNumber.next()))
        }
        return .moved(deliveries)
    }
}

extension TakeRequest {
    /// The moves, then what a script would have made sure of beforehand: neither a lease that is there afterwards nor orders
    /// that have not changed can have been otherwise before.
    func commands(_ keys: RedisKeys, identity: String) -> [RedisCommand] {
        let move = RedisCommand("LMOVE", list.key, list.leased, "RIGHT", "LEFT")
        var commands = [RedisCommand](repeating: move, count: count)
        commands.append(RedisCommand("EXISTS", keys.heartbeat(identity)))
        commands.append(RedisCommand("GET", keys.orders))
        if let first = rivals.first {
            var others = RedisCommand("EXISTS", first)
            others.append(contentsOf: rivals.dropFirst())
            commands.append(others)
        }
        return commands
    }

    func read(_ replies: [RESPValue]) -> TakeAnswer {
        let deliveries = replies.prefix(count).compactMap(\.bytes).map { payload in
            Delivery(queue: list.queue, payload: payload, place: list.place, number: DeliveryNumber.next())
        }
        return TakeAnswer(
            deliveries: deliveries, isLeaseHeld: replies[count].integer == 1,
            orders: replies[count + 1].orderNumber, hasRivals: !rivals.isEmpty && replies.last?.integer != 0)
    }
}

extension RESPValue {
    /// The number of the last order, 0 if there was none; one that no order has if this is no number.
    var orderNumber: Int { text.map { Int($0) ?? -1 } ?? 0 }
}

extension HeldMessage {
    func delivery(from list: WaitingList, number: Int64 = 0) -> Delivery {
        Delivery(queue: list.queue, payload: payload, place: list.place, number: number, excerptOf: excerptOf)
    }
}
