// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension ConsumerMachine {
    func isPaused(_ pop: Pop) -> Bool { orders.paused.contains(pop.list.queue) }

    /// Whether blocking pops are wanted: only while a claim waits. Beside a script one might take a message out of turn.
    private var isWaiting: Bool {
        if case .waiting = claim?.step { holds(at: now) } else { false }
    }

    /// Pops if that is wanted and not already under way.
    mutating func arm(_ index: Int) {
        guard isWaiting, pops[index].isUsed, pops[index].phase == .idle, !isPaused(pops[index]) else { return }
        guard pops[index].isConnected else { return connect(index) }
        pops[index].phase = .blocked
        actions.append(.pop(PopID(index: index, round: round)))
    }

    mutating func connect(_ index: Int?) {
        guard let index, pops[index].phase == .idle, !pops[index].isConnected, !isOver else { return }
        pops[index].phase = .connecting
        actions.append(.connect(PopID(index: index, round: round)))
    }

    mutating func connected(_ pop: PopID, _ isConnected: Bool) {
        guard pop.round == round, pops[pop.index].phase == .connecting else { return }
        pops[pop.index].isConnected = isConnected
        guard isConnected else { return rest(pop.index) }
        pops[pop.index].phase = .idle
        arm(pop.index)
    }

    mutating func popped(_ pop: PopID, _ answer: PopAnswer) {
        guard pop.round == round, pops[pop.index].phase == .blocked else { return }
        let index = pop.index
        pops[index].phase = .idle
        pops[index].isDrained = false
        switch answer {
        case .lost:
            lost(index)
            // What it may have moved is looked for at once.
            if isWaiting { proceed() }
        case .refused(let error):
            stock.poppedNothing(from: pops[index].list.key)
            let isNew = pops[index].refusal != error.code
            pops[index].refusal = error.code
            actions.append(.report(.queueRefused(list: pops[index].list.key, error, isNew: isNew)))
            rest(index)
        case .nothing:
            stock.poppedNothing(from: pops[index].list.key)
            pops[index].refusal = nil
            intake.moved(at: now)
            arm(index)
        case .message(let payload, let isLast):
            if isLast, heardOf == orders.number { knewOrdersAt = now } else { heardOf = nil }
            pops[index].refusal = nil
            pops[index].isDrained = isLast
            intake.moved(at: now)
            let list = pops[index].list
            caught(Delivery(queue: list.queue, payload: payload, place: list.key))
        }
    }

    private mutating func caught(_ delivery: Delivery) {
        keep(stock.holdPopped(delivery) ? [delivery] : [])
        // After a message the next claim comes first: popping beside it, this might take a message out of turn.
        if isWaiting { proceed() }
    }

    /// A connection has ended that may have moved messages.
    mutating func lost(_ index: Int) {
        pops[index].isConnected = false
        pops[index].isDrained = false
        stock.poppedNothing(from: pops[index].list.key)
        suspicion.arises(at: now)
        rest(index)
    }

    /// Waits a little before the next try: the client's connection knows when the server is back, this one only asks.
    private mutating func rest(_ index: Int) {
        pops[index].phase = .resting
        actions.append(.rest(PopID(index: index, round: round)))
    }

    mutating func rested(_ pop: PopID) {
        guard pop.round == round, pops[pop.index].phase == .resting else { return }
        pops[pop.index].phase = .idle
        // A full server lets no pop move anything, while the claim's script may.
        if pops[pop.index].refusal == .outOfMemory, isWaiting { return ask(mayTake: false) }
        arm(pop.index)
    }

    mutating func unblock(_ isMeant: (Pop) -> Bool) {
        let blocked = pops.indices.filter { pops[$0].phase == .blocked && isMeant(pops[$0]) }
        if !blocked.isEmpty { actions.append(.unblock(blocked.map { PopID(index: $0, round: round) })) }
    }

    // MARK: What nobody waits for

    mutating func recallSoon() {
        guard claim == nil, !isOver, !isRecallScheduled,
            !stock.spare.isEmpty || pops.contains(where: { $0.phase == .blocked })
        else { return }
        isRecallScheduled = true
        actions.append(.recallSoon)
    }

    mutating func recallDue() {
        isRecallScheduled = false
        guard claim == nil, !isOver else { return }
        unblock { _ in true }
        let spare = stock.takeSpare()
        if !spare.isEmpty { actions.append(.handBack(spare)) }
    }

    /// What came from a queue before it was known that nobody may take from it.
    mutating func handBackPaused() {
        guard !isOver, !orders.paused.isEmpty else { return }
        let paused = stock.takeSpare(of: orders.paused)
        if !paused.isEmpty { actions.append(.handBack(paused)) }
    }

    // MARK: The intake as a whole

    /// Starts it anew, over other connections.
    mutating func restartIntake() {
        round += 1
        pops = pops.map { Pop($0.list, isUsed: $0.isUsed) }
        for pop in pops { stock.poppedNothing(from: pop.list.key) }
        actions.append(.closePops)
        suspicion.arises(at: now)
        switch claim?.step {
        case .waiting, .taking: proceed()
        default: break
        }
    }
}
