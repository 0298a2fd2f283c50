// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension ConsumerMachine {
    /// Once a second: renew, notice a lapse and, on duty, look for lost processes and, as a net below the timers, for what is
    /// due.
    mutating func beat(_ connectedSince: Instant?) {
        guard !isOver else { return }
        guard lease.holds(at: now) else { return lose() }
        let due = pulse.beat()
        if due.renewal { actions.append(.renew(asking: nextUnused())) }
        if due.promotion, isOnDuty { actions.append(.promote) }
        // Who is not on duty keeps watch, too, so that it may judge as soon as it is.
        if due.lost { actions.append(.lookForLost(isOnDuty: isOnDuty)) }
        let hasReconnected = pulse.hasReconnected(connectedSince)
        // What could come is asked for: not while all queues are paused.
        let isAsking = claim != nil && connectedSince != nil && !queues.allSatisfy(orders.paused.contains)
        switch intake.looked(at: now, isClaiming: isAsking) {
        case .none:
            if hasReconnected { restartIntake() }
        case .restart:
            actions.append(.report(.standsStill))
            restartIntake()
        case .fail:
            // Better ended than connected and silent.
            let error = BrokerError(.damaged, "nothing can be claimed although the server answers")
            failure = error
            if claim != nil { finish(.failure(error)) }
        }
        if case .waiting = claim?.step, suspicion.wantsLook(at: now) { look() }
    }

    mutating func renewed(_ renewal: Renewal) {
        if let sentAt = renewal.sentAt { lease.renewed(sentAt: sentAt) }
        pulse.renewalEnded()
        guard !isOver else { return }
        heardOf = renewal.orders
        if renewal.orders != orders.number { readOrders() }
        if renewal.isOnDuty != isOnDuty {
            isOnDuty = renewal.isOnDuty
            actions.append(.beOnDuty(isOnDuty))
            if isOnDuty { actions += [.promote, .lookForLost(isOnDuty: true)] }
        }
        use(renewal.used)
    }

    // MARK: Lists that nobody uses

    /// Waiting lists that nobody is known to use, as many as one asks about at a time. That costs less than a connection for
    /// each, for priorities that hardly anybody gives.
    private mutating func nextUnused() -> [Int] {
        let unused = pops.indices.filter { !pops[$0].isUsed }
        let most = Self.mostLists
        guard unused.count > most else { return unused }
        defer { unusedAsked += most }
        return (0..<most).map { unused[(unusedAsked + $0) % unused.count] }
    }

    /// Somebody uses these lists: from now on they are waited for like any other.
    mutating func use(_ lists: [Int]) {
        guard lists.contains(where: { !pops[$0].isUsed }) else { return }
        for index in lists { pops[index].isUsed = true }
        // A claim that waits begins again, and finds what is there.
        if case .waiting = claim?.step { proceed() }
    }
}
