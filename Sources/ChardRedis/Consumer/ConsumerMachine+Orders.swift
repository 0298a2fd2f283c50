// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension ConsumerMachine {
    /// One reading at a time, so that none that is older comes after a newer one.
    enum OrdersReading: Sendable, Hashable {
        case none
        case underWay
        /// They may have changed since it was begun.
        case outdated
        case pausing
    }

    mutating func readOrders() {
        guard !isOver else { return }
        switch ordersReading {
        case .none:
            ordersReading = .underWay
            actions.append(.readOrders)
        case .underWay: ordersReading = .outdated
        case .outdated, .pausing: break
        }
    }

    mutating func ordersRead(_ result: Result<KnownOrders, RedisError>) {
        let isOutdated = ordersReading == .outdated
        ordersReading = .none
        guard !isOver else { return }
        switch result {
        case .success(let read):
            learn(read)
            if isOutdated { readOrders() } else { goOnLearnt() }
        // What is in the way is put aside, and a right may be given back.
        case .failure(let error) where error.isRetryable || [.wrongType, .noPermission].contains(error.code):
            ordersReading = .pausing
            actions.append(.pauseOrders)
        case .failure(let error):
            guard case .learning(let taken) = claim?.step else { return }
            keep(taken)
            finish(.failure(BrokerError(error)))
        }
    }

    mutating func ordersPauseOver() {
        guard ordersReading == .pausing else { return }
        ordersReading = .none
        // Tried for as long as the lease holds.
        if obstacle == nil { readOrders() } else { proceed() }
    }

    private mutating func learn(_ read: KnownOrders) {
        let before = orders
        orders = read
        heardOf = read.number
        guard before.paused != read.paused else { return }
        unblock { read.paused.contains($0.list.queue) }
        handBackPaused()
        // A claim that waits begins again under them.
        if case .waiting = claim?.step, !before.paused.isSubset(of: read.paused) { proceed() }
    }

    /// Says that the orders are kept, once no pop on a paused queue is under way any more: who pauses a queue waits for that.
    mutating func keepOrders() {
        guard kept != orders.number, !isOver, !pops.contains(where: { $0.isUnderWay && isPaused($0) }) else { return }
        kept = orders.number
        // Other changes of orders are told with the next renewal.
        if !orders.paused.isDisjoint(with: queues) { actions.append(.acknowledge(kept)) }
    }
}
