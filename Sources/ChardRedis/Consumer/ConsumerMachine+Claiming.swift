// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension ConsumerMachine {
    /// A claim under way.
    struct Claim: Sendable {
        enum Step: Sendable {
            /// The script is to answer, which serves so many lists of a step, and may be asked this afterwards.
            case asking(width: Int, rest: [ClaimRequest])
            case taking(TakeRequest)
            case looking(Look)
            /// The orders are read; these large messages were moved under older ones.
            case learning([Delivery])
            case pausing
            /// For what blocking pops bring, or for anything else that changes.
            case waiting
        }

        var count: Int
        var step: Step
        /// It is to end as soon as it is known what has been moved for it.
        var isWoken: Bool
    }

    mutating func begin(_ count: Int) {
        guard claim == nil else {
            claim?.count = count
            return
        }
        claim = Claim(count: count, step: .waiting, isWoken: isWoken)
        isWoken = false
        intake.begins(at: now)
        proceed()
    }

    mutating func wake() {
        guard let claim else { return isWoken = true }
        switch claim.step {
        case .asking, .taking, .looking:
            self.claim?.isWoken = true
        case .learning(let taken):
            keep(taken)
            finish(.success([]))
        case .pausing, .waiting:
            finish(.success([]))
        }
    }

    /// The claim ends. Unless there soon is another, blocking pops are called back, so that no message comes here that
    /// another process has room for.
    mutating func finish(_ result: Result<[Delivery], BrokerError>) {
        claim = nil
        actions.append(.resume(result))
        recallSoon()
    }

    /// The claim has found these.
    private mutating func finish(with deliveries: [Delivery]) {
        guard let claim else { return keep(deliveries) }
        guard holds(at: now) else {
            // They go back with all else.
            keep(deliveries)
            return lose()
        }
        let isWhole = orders.paused.isEmpty || !deliveries.contains { orders.paused.contains($0.queue) }
        if isWhole, stock.spare.isEmpty, deliveries.count <= claim.count { return finish(.success(deliveries)) }
        stock.keep(deliveries)
        proceed()
    }

    /// These are for the next claim, if there soon is one.
    mutating func keep(_ deliveries: [Delivery]) {
        stock.keep(deliveries)
        handBackPaused()
        recallSoon()
    }

    /// Decides how the claim goes on, from its beginning.
    mutating func proceed() {
        guard let claim else { return }
        if let obstacle {
            if failure == nil, !isOver { return lose() }
            return finish(.failure(obstacle))
        }
        handBackPaused()
        // Orders may be about what a pop has brought. Where there is room for more, the script that brings it tells.
        if !stock.spare.isEmpty, heardOf != orders.number {
            return heardOf == nil && claim.count > stock.spare.count ? ask(mayTake: false) : learn(heardOf, taken: [])
        }
        if !stock.spare.isEmpty { return finish(.success(stock.takeSpare(upTo: claim.count))) }
        if suspicion.wantsLook(at: now) { return look() }
        // Where the one message that came was the last, asking for more would only keep the server and this thread from that
        // one. Now and then it is done all the same, for the orders' sake.
        let knowsEmpty = pops.allSatisfy { $0.knowsEmpty || isPaused($0) }
        if knowsEmpty, now - knewOrdersAt <= .seconds(1) { return wait() }
        ask(mayTake: true)
    }

    /// The claim found nothing so far.
    private mutating func wait() {
        guard let claim else { return }
        if claim.isWoken { return finish(.success([])) }
        if !stock.spare.isEmpty || suspicion.wantsLook(at: now) { return proceed() }
        self.claim?.step = .waiting
        for index in pops.indices { arm(index) }
    }

    /// Tries again in a moment, or gives up where that would not help.
    mutating func tryAgain(after error: RedisError) {
        guard let claim else { return }
        if let obstacle {
            if failure == nil { lose() } else { finish(.failure(obstacle)) }
        } else if !error.isRetryable, error.code != .noPermission {
            // But for a right: it was there when the hold was opened, and may be given back.
            finish(.failure(BrokerError(error)))
        } else if claim.isWoken {
            // What the server has moved all the same is found by the next claim.
            finish(.success([]))
        } else {
            if error.isOfServer || error.code == .noPermission, refusal != error.code {
                actions.append(.report(.refused(error)))
            }
            refusal = error.code
            self.claim?.step = .pausing
            actions.append(.pause)
        }
    }

    mutating func pauseOver() {
        if case .pausing = claim?.step { proceed() }
    }

    // MARK: By the script

    mutating func ask(mayTake: Bool) {
        guard let claim else { return }
        if mayTake { turn += 1 }
        let steps = listsInTurn()
        if mayTake, take(steps) { return }
        // All in one request, so that urgent lists come first; where that would be too large, step by step in portions.
        let width = steps.first?.count ?? 0
        let most = Self.mostLists
        let portions =
            width * steps.count <= most
            ? [(steps.flatMap { $0 }, width)]
            : steps.flatMap { step in
                stride(from: 0, to: step.count, by: most).map { start in
                    let portion = Array(step[start..<min(start + most, step.count)])
                    return (portion, portion.count)
                }
            }
        let requests = portions.map { lists, width in
            ClaimRequest(
                lists: lists, width: max(1, width), count: max(1, claim.count - stock.spare.count),
                orders: orders.number)
        }
        ask(requests)
    }

    /// How many lists one request names at most, each with another one beside it: see ``ScriptCall/most``.
    static let mostLists = 490

    private mutating func ask(_ requests: [ClaimRequest]) {
        guard let next = requests.first else { return }
        claim?.step = .asking(width: next.width, rest: Array(requests.dropFirst()))
        actions.append(.ask(next))
    }

    /// The lists of each step that may be taken from: of each queue what is due and what waits, which have equal shares. Each
    /// claim begins with the next queue, and each round of these with the other kind, so that a single free slot serves all of
    /// them in turn.
    private func listsInTurn() -> [[WaitingList]] {
        let open = queues.indices.filter { !orders.paused.contains(queues[$0]) }
        let order = open.indices.map { open[($0 + turn) % open.count] }
        let count = pops.count / max(1, queues.count)
        let isRipeFirst = turn / max(1, open.count) % 2 == 1
        return (0..<count).map { step in
            let due = order.map { ripe[$0 * count + step] }
            let waiting = order.map { pops[$0 * count + step].list }
            return isRipeFirst ? due + waiting : waiting + due
        }
    }

    mutating func asked(_ answer: ClaimAnswer) {
        if case .moved(let deliveries) = answer { stock.hold(deliveries) }
        if case .failed = answer { suspicion.arises(at: now) }
        guard case .asking(let width, let rest) = claim?.step else {
            // The claim ended meanwhile, with an error.
            if case .moved(let deliveries) = answer { keep(deliveries) }
            return
        }
        switch answer {
        case .lapsed:
            lose()
        case .failed(let error):
            tryAgain(after: error)
        case .otherOrders(let number):
            refusal = nil
            learn(number, taken: [])
        case .moved(let deliveries)
        where deliveries.isEmpty && !rest.isEmpty && stock.spare.isEmpty && claim?.isWoken == false:
            ask(rest)
        case .moved(let deliveries):
            refusal = nil
            knewOrdersAt = now
            heardOf = orders.number
            intake.moved(at: now)
            // Of one message nobody knows whether the other queues of its step had one as well.
            large = deliveries.count > 1 || width <= 2 ? LargeSource(of: deliveries) : nil
            if let large { connect(pops.firstIndex { $0.list.key == large.list }) }
            noteUse(of: deliveries)
            if deliveries.isEmpty { wait() } else { finish(with: deliveries) }
        }
    }

    /// Notes from which lists of priorities messages have come.
    private mutating func noteUse(of deliveries: [Delivery]) {
        var last = ""
        for delivery in deliveries where delivery.place != last {
            last = delivery.place
            guard let index = pops.firstIndex(where: { !$0.isUsed && $0.list.key == last }) else { continue }
            pops[index].isUsed = true
        }
    }

    // MARK: Large messages

    /// Claims large messages without a script, from the list that the last claim found them in, if that is possible.
    ///
    /// What a claim's script makes sure of in one step is asked for and judged afterwards: a message that was moved
    /// although the lease had lapsed is found by whoever recovers the list, and one that came from a queue which is paused
    /// goes back.
    private mutating func take(_ steps: [[WaitingList]]) -> Bool {
        guard let claim, let large else { return false }
        self.large = nil
        guard let step = steps.firstIndex(where: { $0.contains { $0.key == large.list } }),
            let index = pops.firstIndex(where: { $0.list.key == large.list }), pops[index].phase == .idle
        else { return false }
        let rivals = steps[...step].joined().map(\.key).filter { $0 != large.list }
        guard rivals.count < ScriptCall.most else { return false }
        guard pops[index].isConnected else {
            connect(index)
            return false
        }
        pops[index].phase = .taking
        pops[index].isDrained = false
        let request = TakeRequest(
            pop: PopID(index: index, round: round), list: pops[index].list, count: min(claim.count, large.count),
            orders: orders.number, rivals: rivals)
        self.claim?.step = .taking(request)
        actions.append(.take(request))
        return true
    }

    mutating func taken(_ pop: PopID, _ answer: TakeAnswer?) {
        if pop.round == round, pops[pop.index].phase == .taking {
            if answer == nil { lost(pop.index) } else { pops[pop.index].phase = .idle }
        }
        if let answer { stock.hold(answer.deliveries) }
        guard case .taking(let request) = claim?.step, request.pop == pop else {
            return keep(answer?.deliveries ?? [])
        }
        guard let answer else { return proceed() }
        guard !answer.deliveries.isEmpty else { return ask(mayTake: false) }
        guard answer.isLeaseHeld else { return lose() }
        knewOrdersAt = now
        intake.moved(at: now)
        // Where another list has something as well, or this one has no more, the script knows what comes next.
        if !answer.hasRivals, answer.deliveries.count == request.count { large = LargeSource(of: answer.deliveries) }
        if answer.orders == request.orders { return finish(with: answer.deliveries) }
        learn(answer.orders, taken: answer.deliveries)
    }

    /// Goes on once the orders of this number are known.
    private mutating func learn(_ number: Int?, taken: [Delivery]) {
        claim?.step = .learning(taken)
        if number == orders.number, ordersReading == .none { goOnLearnt() } else { readOrders() }
    }

    mutating func goOnLearnt() {
        guard case .learning(let taken) = claim?.step else { return }
        if !taken.isEmpty { return finish(with: taken) }
        if stock.spare.isEmpty { ask(mayTake: true) } else { proceed() }
    }
}
