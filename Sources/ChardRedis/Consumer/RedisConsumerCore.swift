// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Logging
import NIOCore

/// The part of a ``RedisConsumer`` that lives on its event loop, where no task can block it: the shell of a
/// ``ConsumerMachine``, with its connections and timers.
final class RedisConsumerCore {
    var machine: ConsumerMachine
    let server: RedisAccess
    let identity: String
    let view: ConsumerView
    let subscription: Subscription
    /// What the hash of holders has of this one.
    let holder: [UInt8]
    private let onLoss: Signal
    private let recoverer: Recoverer
    private let connections: PopConnections
    let promoters: Promoters
    private let orders: OrderReader
    /// The lists that no connection could be had for, which the log has told.
    private var unserved: Set<String> = []
    /// The number of the orders that the server knows to be known here.
    var acknowledged = 0
    private var pulse: Scheduled<Void>?
    private var ordersTold: LastingSubscription?
    private var claimer: CheckedContinuation<[Delivery], any Error>?
    /// Told whether a pop may still be under way that nobody knows of.
    private var closer: CheckedContinuation<Bool?, Never>?
    /// How often the lease was renewed, or the server asked for what there is to know.
    var renewals = 0
    /// Whether the last renewal was answered by the script, and what it found need not be asked again.
    var isQuiet = false
    /// Whether there were orders a short while ago.
    var hasNews = false
    /// The figures that the server has.
    var vitals: [UInt8] = []
    /// Whether something runs, by these figures.
    var isToldBusy = true
    private var isEnded = false

    private var loop: NIOIsolatedEventLoop { server.client.eventLoop.assumeIsolated() }

    init(
        _ server: RedisAccess, _ subscription: Subscription, identity: String, view: ConsumerView, onLoss: Signal
    ) {
        self.server = server
        self.subscription = subscription
        self.identity = identity
        let holder = Holder(
            node: subscription.node, queues: subscription.queues, priorities: server.keys.priorities)
        self.holder = holder.text
        self.view = view
        self.onLoss = onLoss
        machine = ConsumerMachine(
            identity: identity, queues: subscription.queues, keys: server.keys, settings: server.settings,
            messageLimit: subscription.messageLimit, now: .now)
        connections = PopConnections(
            machine.pops.map(\.list), ripe: machine.ripe, server: server, messageLimit: subscription.messageLimit)
        promoters = Promoters(server, queues: subscription.queues, node: subscription.node)
        orders = OrderReader(server, node: subscription.node, view: view, onTerminate: subscription.onTerminate)
        recoverer = Recoverer(
            server: server, node: subscription.node, identity: identity, messageLimit: subscription.messageLimit,
            lifetimes: subscription.statusLifetimes, onBuried: subscription.onBuried)
    }

    /// Begins to live. Returns its subscription to the orders.
    func start(renewedAt: ContinuousClock.Instant) -> LastingSubscription {
        handle(.renewed(Renewal(sentAt: renewedAt, orders: 0, isOnDuty: false, used: [])))
        let box = NIOLoopBound(self, eventLoop: server.client.eventLoop)
        // What was told before the server listened for us, or while its connection was away, is asked for.
        let told = server.listen(to: server.keys.orders) { _ in
            box.value.handle(.ordersTold)
        } whenSubscribed: {
            box.value.handle(.ordersTold)
        }
        ordersTold = told
        handle(.ordersTold)
        beat()
        return told
    }

    private func beat() {
        handle(.beat(connectedSince: server.client.connectedSince))
        view.note(standsSince: machine.intake.standsSince(at: .now))
        if !isEnded { pulse = loop.scheduleTask(in: .seconds(1)) { self.beat() } }
    }

    // MARK: What others ask for

    func claim(_ count: Int, _ continuation: CheckedContinuation<[Delivery], any Error>) {
        // Who claims anew, or somebody else, gets what comes from now on.
        claimer?.resume(returning: [])
        claimer = continuation
        handle(.claim(count))
    }

    /// Ends the identity. `continuation` is told whether a pop may still be under way that nobody knows of; nil if somebody
    /// else has ended it before.
    func close(_ continuation: CheckedContinuation<Bool?, Never>) {
        guard closer == nil, !isEnded else { return continuation.resume(returning: nil) }
        closer = continuation
        handle(.close)
    }

    /// Why nothing may be settled just now, if so.
    func obstacle() -> BrokerError? {
        if machine.maySettle(at: .now) { return nil }
        if !machine.holds(at: .now) { handle(.lose) }
        return machine.obstacle
    }

    /// Closes the connections and ends the timers.
    func end() {
        guard !isEnded else { return }
        handle(.lose)
        isEnded = true
        pulse?.cancel()
        connections.closeAll()
        promoters.end()
        orders.close()
        ordersTold = nil
    }

    // MARK: What the machine wants

    func handle(_ event: ConsumerMachine.Event) {
        guard !isEnded else { return refuse(event) }
        for action in machine.handle(event, at: .now) { perform(action) }
    }

    /// Nothing changes any more, but nobody is to wait for ever.
    private func refuse(_ event: ConsumerMachine.Event) {
        guard case .claim = event, let obstacle = machine.obstacle else { return }
        perform(.resume(.failure(obstacle)))
    }

    private func perform(_ action: ConsumerMachine.Action) {
        switch action {
        case .resume(let result):
            claimer?.resume(with: result.mapError { $0 as any Error })
            claimer = nil
        case .ask(let request):
            let command = request.command(server.keys, identity: identity, machine.fetch)
            send([command]) { self.handle(.asked(request.read($0.flatMap(\.only)))) }
        case .take(let request):
            connections.submit(request.commands(server.keys, identity: identity), over: request.pop) {
                self.handle(.taken(request.pop, $0.map(request.read)))
            }
        case .look(let list, let start): look(list, from: start)
        case .pause: later(.milliseconds(100), .pauseOver)
        case .recallSoon: later(.milliseconds(2), .recallDue)
        case .handBack(let deliveries): handBack(deliveries)
        case .connect(let pop):
            connections.connect(pop) { trouble in
                self.log(trouble, of: self.machine.pops[pop.index].list)
                self.handle(.connected(pop, trouble == nil))
            }
        case .pop(let pop): connections.pop(pop) { self.handle(.popped(pop, $0)) }
        case .unblock(let pops):
            let ids = connections.clientIDs(of: pops)
            if !ids.isEmpty { send(ids.map { RedisCommand("CLIENT", "UNBLOCK", $0) }) { _ in } }
        case .rest(let pop): later(.milliseconds(.random(in: 200...600)), .rested(pop))
        case .closePops: connections.closeAll()
        case .readOrders:
            orders.read { self.handle(.ordersRead($0)) }
        case .acknowledge(let number):
            acknowledged = number
            send([RedisScript.acknowledge.command(keys: [server.keys.heartbeat(identity)], number)]) { _ in }
        case .pauseOrders: later(.milliseconds(100), .ordersPauseOver)
        case .renew(let asked): renew(asking: asked)
        case .beOnDuty(let isOnDuty): if isOnDuty { promoters.begin() } else { promoters.end() }
        case .promote: promoters.promoteAll()
        case .lookForLost(let isOnDuty): if isOnDuty { recoverer.start() } else { recoverer.watch() }
        case .tellLoss: onLoss.fire()
        case .closeSoon: later(.milliseconds(100), .closeDue)
        case .end(let hasLostSight):
            end()
            closer?.resume(returning: hasLostSight)
            closer = nil
        case .report(let report): log(report)
        }
    }

    /// Says which list is not waited for, and when it is again. Without the client's own connection all are not, which it says.
    private func log(_ trouble: (any Error)?, of list: WaitingList) {
        guard let trouble else {
            guard unserved.remove(list.key) != nil else { return }
            return server.logger.notice("a queue is waited for again", metadata: ["list": "\(list.key)"])
        }
        guard server.client.connectedSince != nil, unserved.insert(list.key).inserted else { return }
        server.logger.error(
            "a queue is not waited for: no further connection can be had; its messages are taken only while there is other work",
            metadata: ["list": "\(list.key)", "error": "\(trouble)"])
    }

    func send(_ commands: [RedisCommand], then tell: @escaping (Result<[RESPValue], RedisError>) -> Void) {
        let peer = server.url.peer
        server.client.submit(commands).assumeIsolated().whenComplete { result in
            tell(result.mapError { RedisError(connectionTo: peer, failed: $0) })
        }
    }

    private func later(_ delay: TimeAmount, _ event: ConsumerMachine.Event) {
        loop.scheduleTask(in: delay) { self.handle(event) }
    }
}

extension NIOLoopBoundBox where Value == RedisConsumerCore {
    /// Asks the part on the event loop: at once for those whose steps run there, too.
    func run<Answer: Sendable>(_ question: @escaping @Sendable (RedisConsumerCore) -> Answer) async -> Answer {
        if eventLoop.inEventLoop { return question(value) }
        return await withCheckedContinuation { continuation in
            eventLoop.execute { continuation.resume(returning: question(self.value)) }
        }
    }
}
