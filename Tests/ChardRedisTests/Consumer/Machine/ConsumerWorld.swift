// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

@testable import ChardRedis

/// A consumer's machine between a server and a holder, with a network that delays and loses what travels, and a clock.
///
/// It does what the machine wants, and notes as ``trouble`` what the machine must never want.
final class ConsumerWorld {
    /// A command on the client's connection: what the server does with it, and what then comes of its answer.
    struct Call {
        var execute: () -> () -> Void
        var lost: () -> Void
        var answer: (() -> Void)?
    }

    /// A command on a pop's connection.
    struct PopCall {
        var pop: PopID
        /// The steps that the server still has to do; a blocked pop has none.
        var steps: [() -> Void] = []
        var answer: (() -> Void)?
        var lost: () -> Void
    }

    var machine: ConsumerMachine
    var server: FakeServer
    var random: SeededGenerator
    var now: ContinuousClock.Instant
    private(set) var connectedSince: ContinuousClock.Instant
    private(set) var calls: [Call] = []
    private(set) var popCalls: [Int: PopCall] = [:]
    private var lastToken = 0
    private var timers: [(due: ContinuousClock.Instant, event: ConsumerMachine.Event)] = []

    // The holder.
    private(set) var isClaiming = false
    private(set) var held: [Delivery] = []
    private(set) var finished: Set<String> = []
    private(set) var isOver = false
    private(set) var ended: Bool?
    private(set) var failure: BrokerError?

    private(set) var trouble: String?
    private(set) var log: [String] = []

    init(seed: UInt64, queues: [String]) {
        random = SeededGenerator(state: seed)
        now = .now
        connectedSince = now
        server = FakeServer(heartbeatUntil: now + RedisSettings().lease)
        machine = ConsumerMachine(
            identity: "me", queues: queues, keys: RedisKeys(), settings: RedisSettings(), now: now)
        tell(.beat(connectedSince: connectedSince))
    }

    func fail(_ text: String) {
        trouble = trouble ?? text
    }

    func tell(_ event: ConsumerMachine.Event) {
        guard ended == nil else { return }
        let actions = machine.handle(event, at: now)
        for action in actions { perform(action) }
    }

    private func later(_ delay: Duration, _ event: ConsumerMachine.Event) {
        timers.append((now + delay, event))
    }

    private func call(lost: @escaping () -> Void, _ execute: @escaping () -> () -> Void) {
        calls.append(Call(execute: execute, lost: lost))
    }

    // MARK: What the machine wants

    private func perform(_ action: ConsumerMachine.Action) {
        switch action {
        case .resume(let result): resume(result)
        case .ask(let request):
            call { [self] in
                tell(.asked(.failed(.lost)))
            } _: { [self] in
                let answer = server.claim(request, at: now)
                return { self.tell(.asked(answer)) }
            }
        case .take(let request): take(request)
        case .look(let list, let start):
            call { [self] in
                tell(.looked(.failure(.lost)))
            } _: { [self] in
                let page = (server.leased[list.key] ?? []).dropFirst(start).prefix(3).map {
                    Delivery(queue: list.queue, payload: $0, place: list.key)
                }
                return { self.tell(.looked(.success(page))) }
            }
        case .pause: later(.milliseconds(100), .pauseOver)
        case .recallSoon: later(.milliseconds(2), .recallDue)
        case .handBack(let deliveries):
            for delivery in deliveries { log.append("\(MachineBench.text(delivery)) is handed back") }
            for delivery in deliveries.reversed() { settle([delivery], returning: true) }
        case .connect(let pop):
            later(.milliseconds(.random(in: 1...30, using: &random)), .connected(pop, true))
        case .pop(let pop): block(pop)
        case .unblock(let pops):
            let tokens = popCalls.filter { pops.contains($0.value.pop) }.keys
            call(lost: {}) { [self] in
                for token in tokens where server.blocked.contains(where: { $0.token == token }) {
                    server.blocked.removeAll { $0.token == token }
                    answer(token, .nothing)
                }
                return {}
            }
        case .rest(let pop): later(.milliseconds(.random(in: 200...600, using: &random)), .rested(pop))
        case .closePops: for token in popCalls.keys.sorted() { cut(token) }
        case .readOrders:
            call { [self] in
                tell(.ordersRead(.failure(.lost)))
            } _: { [self] in
                let orders = server.presentOrders
                return { self.tell(.ordersRead(.success(orders))) }
            }
        case .pauseOrders: later(.milliseconds(100), .ordersPauseOver)
        case .renew(let asked): renew(asked)
        case .acknowledge, .promote, .beOnDuty, .lookForLost, .report: break
        case .tellLoss: isOver = true
        case .closeSoon: later(.milliseconds(100), .closeDue)
        case .end(let hasLostSight): end(hasLostSight)
        }
    }

    private func resume(_ result: Result<[Delivery], BrokerError>) {
        if !isClaiming { fail("a claim ends that nobody waits in") }
        isClaiming = false
        switch result {
        case .failure(let error):
            failure = error
            if !isOver { fail("a claim failed: \(error)") }
        case .success(let deliveries):
            log.append("claimed " + deliveries.map(MachineBench.text).joined(separator: " "))
            for delivery in deliveries { hand(out: delivery) }
        }
    }

    private func hand(out delivery: Delivery) {
        let text = MachineBench.text(delivery)
        if isOver { fail("\(text) is handed out after the lease was lost") }
        if now >= server.heartbeatUntil { fail("\(text) is handed out without a lease") }
        if machine.orders.paused.contains(delivery.queue) {
            fail("\(text) comes from a queue that is known to be paused")
        }
        if held.contains(where: { $0.payload == delivery.payload }) { fail("\(text) is handed out twice") }
        if finished.contains(text) { fail("\(text) is handed out after it was finished") }
        if server.leased[delivery.place]?.contains(delivery.payload) != true { fail("\(text) is not held") }
        held.append(delivery)
    }

    private func renew(_ asked: [Int]) {
        let sentAt = now
        call { [self] in
            tell(.renewalFailed)
        } _: { [self] in
            guard now < server.heartbeatUntil else { return { self.tell(.lapsed) } }
            server.heartbeatUntil = now + RedisSettings().lease
            let used = asked.filter { server.waiting[machine.pops[$0].list.key]?.isEmpty == false }
            let renewal = Renewal(sentAt: sentAt, orders: server.presentOrders.number, isOnDuty: false, used: used)
            return { self.tell(.renewed(renewal)) }
        }
    }

    private func end(_ hasLostSight: Bool) {
        ended = hasLostSight
        for token in popCalls.keys.sorted() {
            if popCalls[token]?.steps.isEmpty == false, !hasLostSight { fail("large messages are moved after the end") }
            popCalls[token] = nil
        }
        if !hasLostSight, !server.blocked.isEmpty { fail("a pop goes on, and nobody is told to look after it") }
        // What was sent before over the same connection is carried out before.
        for call in calls where call.answer == nil { _ = call.execute() }
        calls = []
        server.handBack()
    }

    // MARK: Pops

    private func block(_ pop: PopID) {
        lastToken += 1
        let token = lastToken
        let list = machine.pops[pop.index].list
        popCalls[token] = PopCall(pop: pop) { [self] in tell(.popped(pop, .lost)) }
        popCalls[token]?.steps.append { [self] in
            if let payload = server.move(list.key) {
                answer(token, .message(payload, isLast: server.waiting[list.key]?.isEmpty ?? true))
            } else {
                server.blocked.append(
                    .init(token: token, list: list, until: now + RedisSettings().blockingPop))
            }
        }
    }

    private func answer(_ token: Int, _ answer: PopAnswer) {
        guard let pop = popCalls[token]?.pop else { return }
        popCalls[token]?.answer = { [self] in tell(.popped(pop, answer)) }
    }

    private func take(_ request: TakeRequest) {
        lastToken += 1
        let token = lastToken
        var deliveries: [Delivery] = []
        popCalls[token] = PopCall(pop: request.pop) { [self] in tell(.taken(request.pop, nil)) }
        popCalls[token]?.steps = [
            { [self] in
                for _ in 0..<request.count {
                    guard let payload = server.move(request.list.key) else { return }
                    deliveries.append(
                        Delivery(
                            queue: request.list.queue, payload: payload, place: request.list.key,
                            number: DeliveryNumber.next()))
                }
            },
            { [self] in
                let answer = TakeAnswer(
                    deliveries: deliveries, isLeaseHeld: now < server.heartbeatUntil, orders: server.orders,
                    hasRivals: request.rivals.contains { server.waiting[$0]?.isEmpty == false })
                popCalls[token]?.answer = { self.tell(.taken(request.pop, answer)) }
            },
        ]
    }

    func stepPop(_ token: Int) {
        guard let call = popCalls[token] else { return }
        if let step = call.steps.first {
            popCalls[token]?.steps.removeFirst()
            step()
        } else if let answer = call.answer {
            popCalls[token] = nil
            answer()
        }
    }

    /// Ends a pop's connection. Unless the server notices, a pop that is blocked goes on there.
    func cut(_ token: Int) {
        guard let call = popCalls[token] else { return }
        if Bool.random(using: &random) { for step in call.steps { step() } }
        popCalls[token] = nil
        if Bool.random(using: &random) { server.blocked.removeAll { $0.token == token } }
        call.lost()
    }

    /// A message comes in.
    func send(_ payload: [UInt8], to list: String) {
        server.waiting[list, default: []].append(payload)
        serve(list)
    }

    private func serve(_ list: String) {
        while let (token, payload) = server.serve(list) {
            answer(token, .message(payload, isLast: server.waiting[list]?.isEmpty ?? true))
        }
    }

    // MARK: The client's connection

    /// The server carries out the next command, or its oldest answer arrives.
    func stepCall() {
        guard let first = calls.first else { return }
        if first.answer != nil, Bool.random(using: &random) || calls.allSatisfy({ $0.answer != nil }) {
            calls.removeFirst().answer?()
        } else if let index = calls.firstIndex(where: { $0.answer == nil }) {
            calls[index].answer = calls[index].execute()
        }
    }

    /// Ends the client's connection: of what was sent, some was carried out.
    func cutClient() {
        let lost = calls
        calls = []
        let reach = Int.random(in: 0...lost.count, using: &random)
        for (index, call) in lost.enumerated() {
            if index < reach, call.answer == nil { _ = call.execute() }
        }
        connectedSince = now
        for call in lost { call.lost() }
    }

    // MARK: Time

    func pass(_ duration: Duration) {
        let end = now + duration
        while let index = timers.indices.min(by: { timers[$0].due < timers[$1].due }), timers[index].due <= end {
            let timer = timers.remove(at: index)
            now = max(now, timer.due)
            tell(timer.event)
        }
        now = end
        for pop in server.blocked where pop.until <= now {
            server.blocked.removeAll { $0.token == pop.token }
            answer(pop.token, .nothing)
        }
    }

    func beat() {
        tell(.beat(connectedSince: connectedSince))
    }

    // MARK: The holder

    func claim(_ count: Int) {
        isClaiming = true
        tell(.claim(count))
    }

    /// Finishes some of what is held, or gives it back.
    func settle(returning: Bool = false, _ isChosen: (Delivery) -> Bool) {
        let chosen = held.filter(isChosen)
        held.removeAll { delivery in chosen.contains { $0 == delivery } }
        for (_, deliveries) in Dictionary(grouping: chosen, by: \.place).sorted(by: { $0.key < $1.key }) {
            settle(deliveries, returning: returning)
        }
    }

    /// Settles messages of one list as ``LeasedWriter`` does.
    private func settle(_ deliveries: [Delivery], returning: Bool, isRepeated: Bool = false) {
        guard !deliveries.isEmpty, ended == nil, !isOver else { return }
        let cut = returning ? nil : machine.takeOut(deliveries, asCut: true)
        if cut == nil { _ = machine.takeOut(deliveries, asCut: false) }
        call { [self] in
            // What went back may have been claimed again since: it is looked for, not returned a second time.
            if returning { return tell(.returnsLost(deliveries)) }
            settle(deliveries, returning: false, isRepeated: true)
        } _: { [self] in
            if let cut {
                guard let gone = server.drop(cut, from: deliveries[0].place) else {
                    return { [self] in
                        machine.settled([], stillHeld: deliveries)
                        settle(deliveries, returning: returning, isRepeated: isRepeated)
                    }
                }
                if Set(gone) != Set(deliveries.map(\.payload)) { fail("a cut takes others than were meant") }
                note(deliveries)
            } else {
                for delivery in deliveries {
                    let isGone = server.remove(delivery, returning: returning)
                    if isGone, !returning { note([delivery]) }
                    if returning { serve(delivery.place) }
                    if !isGone, !isRepeated { fail("\(MachineBench.text(delivery)) was not held any more") }
                }
            }
            return { self.machine.settled(deliveries, stillHeld: []) }
        }
    }

    private func note(_ deliveries: [Delivery]) {
        for delivery in deliveries { finished.insert(MachineBench.text(delivery)) }
    }
}
