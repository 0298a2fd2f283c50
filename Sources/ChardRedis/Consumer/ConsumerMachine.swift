// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// What one process's hold on a Redis server goes through, and what to do next.
///
/// It claims, waits, adopts, watches its lease and the orders, and gives back what nobody wants. It does no input or output
/// and reads no clock: it is told what happened and when, and returns what to do. ``RedisConsumerCore`` is its shell.
///
/// A claim is one of these at a time:
///
///     asking ──nothing──► waiting ──popped, orders, doubt──► …
///     taking (large messages) · looking (through leased lists) · learning (orders) · pausing (between two tries)
///
/// and ends with messages, with nothing when it is woken, or with an error. Blocking pops are armed only while it waits.
/// Everything in here changes by ``handle(_:at:)`` and by settling alone.
struct ConsumerMachine {
    typealias Instant = ContinuousClock.Instant

    let identity: String
    let queues: [String]
    /// When what is being handled has happened.
    var now: Instant
    /// What has come of it so far.
    var actions: [Action] = []

    // The life.
    var lease: LeaseClock
    /// Nothing may be claimed, started or settled any more.
    private(set) var isOver = false
    /// Why no claim can succeed any more, although the lease holds.
    var failure: BrokerError?
    private var isClosing = false
    private var isEnded = false
    var pulse: Pulse
    /// Whether it moves what is due, and looks for lost processes, on behalf of all.
    var isOnDuty = false

    // The intake.
    var claim: Claim?
    /// Somebody called a claim back while there was none.
    var isWoken = false
    /// Each claim begins with the next queue, so that a single free slot serves all of them in turn.
    var turn = 0
    /// Where the next claim finds large messages.
    var large: LargeSource?
    var intake: IntakeWatch
    /// In the order of ``queues``, and of the steps within each.
    var pops: [Pop]
    /// The lists of what was delayed and is due, in the same order.
    let ripe: [WaitingList]
    /// How many lists that nobody uses were asked about, where they are too many for asking about all at once.
    var unusedAsked = 0
    /// How often the intake was started anew.
    var round = 0
    var isRecallScheduled = false
    /// Why the server refused the last claim, if it did.
    var refusal: RedisError.Code?

    // What is known.
    var stock = Stock()
    var suspicion: Suspicion
    var fetch: FetchLimits
    var orders = KnownOrders()
    /// The number of the orders that somebody last told of; `nil` if there may be others since.
    var heardOf: Int? = 0
    /// Up to which number nothing is taken any more against the orders, not even by a pop that is under way.
    var kept = 0
    /// When a claim last found the orders to be the present ones.
    var knewOrdersAt: Instant
    var ordersReading = OrdersReading.none

    init(
        identity: String, queues: [String], keys: RedisKeys, settings: RedisSettings, messageLimit: Int = .max,
        now: Instant
    ) {
        self.identity = identity
        self.queues = queues
        self.now = now
        fetch = FetchLimits(message: messageLimit)
        knewOrdersAt = now
        lease = LeaseClock(lease: settings.lease, renewedAt: now)
        pulse = Pulse(settings)
        let waiting = queues.flatMap { queue in
            keys.waiting(allOf: queue).map {
                WaitingList(queue: queue, key: $0, leased: keys.leased(identity, $0))
            }
        }
        pops = waiting.map { Pop($0, isUsed: $0.key == keys.waiting($0.queue)) }
        let longestPop = settings.longestPop(of: queues.count)
        intake = IntakeWatch(patience: longestPop + .seconds(14))
        suspicion = Suspicion(length: longestPop + .seconds(9))
        ripe = zip(waiting, queues.flatMap(keys.ripe(allOf:))).map { list, key in
            WaitingList(queue: list.queue, key: key, place: list.place, leased: list.leased)
        }
    }

    /// Takes note of what has happened, and returns what is to be done, in this order.
    mutating func handle(_ event: Event, at now: Instant) -> [Action] {
        self.now = max(self.now, now)
        note(event)
        if isClosing, !isEnded, !pops.contains(where: \.isUnderWay) { end() }
        keepOrders()
        defer { actions = [] }
        return actions
    }

    private mutating func note(_ event: Event) {
        switch event {
        case .claim(let count): begin(count)
        case .wake: wake()
        case .asked(let answer): asked(answer)
        case .taken(let pop, let answer): taken(pop, answer)
        case .looked(let page): looked(page)
        case .returnsLost(let deliveries): returnsLost(deliveries)
        case .pauseOver: pauseOver()
        case .recallDue: recallDue()
        case .connected(let pop, let isConnected): connected(pop, isConnected)
        case .popped(let pop, let answer): popped(pop, answer)
        case .rested(let pop): rested(pop)
        case .ordersTold: readOrders()
        case .ordersRead(let result): ordersRead(result)
        case .ordersPauseOver: ordersPauseOver()
        case .beat(let connectedSince): beat(connectedSince)
        case .renewed(let renewal): renewed(renewal)
        case .renewalFailed: pulse.renewalEnded()
        case .lapsed, .lose: lose()
        case .close: close()
        case .closeDue: if isClosing, !isEnded { end() }
        }
    }

    // MARK: The lease

    /// Whether anything may be claimed, started or settled.
    func holds(at now: Instant) -> Bool { !isOver && lease.holds(at: now) }

    /// Why nothing may be claimed or settled just now, if so.
    var obstacle: BrokerError? {
        if let failure { return failure }
        return holds(at: now) ? nil : BrokerError(.leaseLost, "the lease of \(identity) is over or in doubt")
    }

    /// Whether nothing is in the way of settling. Mutating, though it changes nothing: whoever has the machine as a part of a class
    /// copies the whole of it in order to read from it.
    mutating func maySettle(at now: Instant) -> Bool { failure == nil && holds(at: now) }

    /// The identity is over, when the lease is in doubt. Nothing is handed back before the holder has seen to what it runs,
    /// and closes.
    mutating func lose() {
        guard !isOver else { return }
        isOver = true
        actions.append(.tellLoss)
        if claim != nil, let obstacle { finish(.failure(obstacle)) }
    }

    // MARK: The end

    private mutating func close() {
        guard !isClosing else { return }
        lose()
        isClosing = true
        unblock { _ in true }
        // The answers of the pops that were called back may be a moment behind.
        actions.append(.closeSoon)
    }

    /// A pop whose connection was lost, or that could not be called back, may still be waiting on the server, for as long as
    /// a pop waits.
    private mutating func end() {
        isEnded = true
        actions.append(.end(hasLostSight: suspicion.isThere || pops.contains(where: \.isUnderWay)))
    }

    // MARK: What is settled

    /// Takes deliveries of one list out of what is known of its order: as a cut where there is one, or each by itself.
    mutating func takeOut(_ deliveries: [Delivery], asCut: Bool) -> LeasedList.Cut? {
        asCut && suspicion.isThere ? nil : stock.takeOut(deliveries, asCut: asCut)
    }

    /// What came of settlements: some messages have left their lists, others, which were taken out, are still there.
    mutating func settled(_ gone: [Delivery], stillHeld: [Delivery]) {
        stock.remove(gone)
        for delivery in stillHeld { stock.doubtOrder(after: delivery) }
    }

    /// The same where all of them have left their lists.
    mutating func settled(_ all: [Settlement]) {
        // By places, since to go through the elements copies each.
        for place in all.indices { stock.remove(all[place].delivery) }
    }
}
