// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension ConsumerMachine {
    /// A look through the leased lists for messages whose announcement was lost with its connection.
    struct Look: Sendable {
        let since: Instant
        /// Which list is read, as an index of its pop.
        var index = 0
        /// What it holds, as far as it was read, oldest first.
        var held: [Delivery] = []
        /// How many were adopted so far.
        var adopted = 0
    }

    mutating func look() {
        guard !pops.isEmpty else {
            // Who serves no queue holds nothing.
            suspicion.looked(since: now)
            return proceed()
        }
        claim?.step = .looking(Look(since: now))
        stock.beginReading()
        actions.append(.look(pops[0].list, from: 0))
    }

    /// A leased list is counted from its oldest message, since what is added meanwhile at the other end must not shift the
    /// places: a message that is read twice would be run twice. One that is passed over is found the next time.
    mutating func looked(_ page: Result<[Delivery], RedisError>) {
        guard case .looking(var look) = claim?.step else { return }
        switch page {
        case .failure(let error):
            stock.giveUpReading()
            if error.code == .closed { fetch.closed(pops[look.index].list.key, look.held.count) }
            return tryAgain(after: error)
        case .success(let page) where !page.isEmpty:
            let size = fetch.fetched(
                pops[look.index].list.key, look.held.count, excerptOf: page.last?.excerptOf)
            if let size { actions.append(.report(.unfetchable(size))) }
            look.held += page
            actions.append(.look(pops[look.index].list, from: look.held.count))
        case .success:
            look.adopted += stock.adopt(in: look.held, isPopping: pops[look.index].phase == .blocked)
            look.held = []
            look.index += 1
            if look.index == pops.count { return lookedThrough(look) }
            stock.beginReading()
            actions.append(.look(pops[look.index].list, from: 0))
        }
        claim?.step = .looking(look)
    }

    /// Messages were to go back, and the answer was lost. Those that are still here are found by looking; those that are not
    /// may be claimed again, by anybody.
    mutating func returnsLost(_ deliveries: [Delivery]) {
        stock.remove(deliveries)
        suspicion.arises(at: now)
        if case .waiting = claim?.step { proceed() }
    }

    private mutating func lookedThrough(_ look: Look) {
        suspicion.looked(since: look.since)
        if look.adopted > 0 { actions.append(.report(.adopted(look.adopted))) }
        proceed()
    }
}
