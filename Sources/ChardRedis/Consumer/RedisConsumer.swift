// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Logging
import NIOCore
import Synchronization

/// One process's hold on a Redis server.
///
/// Messages move from the waiting lists to lists of this process, and stay there until they are settled; one heartbeat is
/// the lease of all of them. Claiming is a script while there is work, and a blocking pop on each list while there is
/// none. Everything that must not be blocked by a task — the heartbeat, the blocking pops, the timers of scheduled
/// messages — lives on the connection's event loop.
///
/// Once the lease is in doubt this identity is over: nothing is claimed, settled or handed out any more. Whoever holds the
/// consumer closes it, by which what others have not yet taken is handed back, and opens another.
final class RedisConsumer: Consumer {
    let identity: String

    struct State {
        var lease: LeaseClock
        var holdings = Holdings()
        /// What is known of each leased list, by the waiting list it belongs to.
        var lists: [String: LeasedList] = [:]
        /// What blocking pops brought while nobody waited in `claim`.
        var caught: [Delivery] = []
        var isClaiming = false
        var turn = 0
        /// Nothing may be claimed, started or settled any more.
        var isOver = false
        var isClosed = false
        /// Until when the leased lists are to be looked through for messages that nobody told us of.
        var suspectUntil: ContinuousClock.Instant?
        var serverClock = ServerClock()
        var orders = Orders()
        /// Where the next claim finds large messages.
        var large: LargeSource?
        /// When a claim last found the orders to be the present ones.
        var knewOrdersAt = ContinuousClock.now
        var intake = IntakeWatch()
        var failure: BrokerError?

        /// Notes what is held from now on; adopted where it was found before it was announced.
        mutating func hold(_ deliveries: [Delivery], isAdopted: Bool = false) {
            if isAdopted { holdings.adopt(deliveries) } else { holdings.add(deliveries) }
            for delivery in deliveries { lists[delivery.place, default: LeasedList()].add(delivery) }
        }

        /// These are still in a leased list, in whatever place.
        mutating func doubtOrder(of place: String, stillHeld count: Int) {
            lists[place, default: LeasedList()].doubt(stillHeld: count)
        }
    }

    /// How many messages have been claimed by this program. Of all consumers together: a delivery of one that is over must not
    /// be taken for another's.
    private static let claimed = Atomic<Int64>(0)

    /// The number of the next message that a claim has brought.
    static func nextNumber() -> Int64 { claimed.add(1, ordering: .relaxed).newValue }

    let broker: RedisBroker
    let subscription: Subscription
    let state: Mutex<State>
    let signal = Signal()
    private let over = Signal()
    let loop: NIOLoopBoundBox<RedisConsumerLoop?>
    private let recoverer: Recoverer

    var keys: RedisKeys { broker.keys }
    var client: RedisClient { broker.client }

    init(broker: RedisBroker, subscription: Subscription) {
        self.broker = broker
        self.subscription = subscription
        identity = "\(subscription.node)#\(TaskID.random().prefix(8))"
        state = Mutex(State(lease: LeaseClock(lease: broker.settings.lease, renewedAt: .now)))
        loop = NIOLoopBoundBox.makeBoxSendingValue(nil, eventLoop: broker.client.eventLoop)
        recoverer = Recoverer(
            broker: broker, node: subscription.node, identity: identity, messageLimit: subscription.messageLimit,
            onBuried: subscription.onBuried)
    }

    var clockOffset: Double { state.withLock { $0.serverClock.offset() } }

    // MARK: Life

    /// Registers the process, and starts what lives on the event loop.
    func open() async throws {
        let sentAt = ContinuousClock.now
        let asked = ServerClock.Reading.now
        let holder = Holder(node: subscription.node, queues: subscription.queues)
        let heartbeat = keys.process(identity)
        let json = try JSON.encode(holder)
        let commands =
            try broker.bindings(of: subscription.queues)
            + [
                RedisCommand("HSET", keys.processes, identity, json),
                RedisCommand(
                    "HSET", heartbeat, "node", subscription.node, "pid",
                    Int(ProcessInfo.processInfo.processIdentifier), "queues", JSON.encode(subscription.queues),
                    "concurrency", subscription.concurrency, "started",
                    subscription.startedAt.timeIntervalSince1970, "lease", broker.settings.lease.milliseconds),
                RedisCommand("PEXPIRE", heartbeat, broker.settings.lease.milliseconds), RedisCommand("TIME"),
            ]
        let replies = try await translatingErrors { () throws(RedisError) in
            let replies = try await client.pipeline(commands)
            for reply in replies { _ = try reply.get() }
            return replies
        }
        state.withLock { $0.lease.renewed(sentAt: sentAt) }
        noteTime(replies.last, asked: asked)
        try await client.eventLoop.submit {
            let loop = RedisConsumerLoop(self, self.broker, self.subscription, self.identity)
            self.loop.value = loop
            loop.start()
        }.get()
    }

    /// Marks the identity as over, when the lease is in doubt. Nothing is handed back before the holder has seen to what it
    /// runs, and closes.
    func lose() {
        let isFirst = state.withLock { state in
            defer { state.isOver = true }
            return !state.isOver
        }
        if isFirst { over.fire() }
        signal.fire()
    }

    /// Ends the identity: no pop is left that could bring messages, then what is still held goes back in one step.
    func close() async {
        lose()
        let isFirst = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        guard isFirst else { return }
        await recall()
        // The answers of the pops that were called back may be a moment behind.
        for _ in 0..<20 where await onLoop(\.isPopping) ?? false {
            try? await broker.executor.sleep(for: .milliseconds(5))
        }
        let isPopping =
            (try? await client.eventLoop.submit {
                defer {
                    self.loop.value?.close()
                    self.loop.value = nil
                }
                return self.loop.value?.isPopping ?? false
            }.get()) ?? false
        // A pop whose connection was lost, or that could not be called back, may still be waiting on the server, for as long
        // as a pop waits.
        let isLost = state.withLock { $0.suspectUntil != nil } || isPopping
        let lostSight = isLost ? stalePop.milliseconds : 0
        var hold = [keys.process(identity), keys.processes, keys.ending(identity)]
        for list in subscription.queues.flatMap(keys.waiting(allOf:)) {
            hold += [keys.leased(identity, list), list]
        }
        do {
            // Also where the task that ran the worker was cancelled: that is one of the ways to end it.
            _ = try await client.sendWhatever(RedisScript.handBack.command(keys: hold, identity, lostSight))
        } catch {
            // Whoever finds the heartbeat gone gives the messages back.
            broker.logger.debug("nothing was handed back", metadata: ["error": "\(error)"])
        }
    }

    /// Falls silent as a killed process does: no heartbeat, no hand-back. For tests.
    func fallSilent() async {
        lose()
        state.withLock { $0.isClosed = true }
        try? await client.eventLoop.submit {
            self.loop.value?.close()
            self.loop.value = nil
        }.get()
    }

    var stalePop: Duration { broker.settings.blockingPop * 2 }

    func leaseLost() async {
        await over.wait()
        over.fire()
    }

    // MARK: The lease

    var lapsed: BrokerError { BrokerError(.leaseLost, "the lease of \(identity) is over or in doubt") }

    func checkLease() throws {
        let (holds, isOver, failure) = state.withLock { ($0.lease.holds(at: .now), $0.isOver, $0.failure) }
        if let failure { throw failure }
        if !holds && !isOver { lose() }
        if !holds || isOver { throw lapsed }
    }

    /// Sends a command, and again through lost connections for as long as the lease holds. `onRepeat` is told when the
    /// server may have carried it out without our learning of it.
    func persevering(
        _ command: RedisCommand, onRepeat: @Sendable (inout State) -> Void
    ) async throws -> RESPValue {
        try await persevering({ () throws(RedisError) in try await client.sendWhatever(command) }, onRepeat: onRepeat)
    }

    /// Asks the server, and again through lost connections for as long as the lease holds.
    func persevering<Answer>(
        _ ask: () async throws(RedisError) -> Answer, onRepeat: @Sendable (inout State) -> Void = { _ in }
    ) async throws -> Answer {
        var refusal: RedisError.Code?
        while true {
            try checkLease()
            do throws(RedisError) {
                return try await ask()
            } catch {
                guard error.isRetryable else { throw BrokerError(error) }
                if error.isOfServer, refusal != error.code {
                    broker.logger.error("the server refuses; trying again", metadata: ["error": "\(error)"])
                }
                refusal = error.code
                state.withLock { onRepeat(&$0) }
                try await broker.executor.sleep(for: .milliseconds(100))
            }
        }
    }

    // MARK: What the event loop tells

    func renewed(sentAt: ContinuousClock.Instant) {
        state.withLock { $0.lease.renewed(sentAt: sentAt) }
    }

    func leaseHolds() -> Bool {
        state.withLock { !$0.isOver && $0.lease.holds(at: .now) }
    }

    /// Something came of a claim or of a blocking pop, if only that there was nothing.
    func noteIntake() {
        state.withLock { $0.intake.moved(at: .now) }
    }

    /// Whether anything is asked for that could come: not while all queues are paused.
    private func isAsking(_ state: State) -> Bool {
        state.isClaiming && client.connectedSince != nil
            && !subscription.queues.allSatisfy(state.orders.paused.contains)
    }

    /// Whether the intake stands still although the server answers, and so must be started anew. When that has not helped
    /// either, the consumer fails, and with it the worker's process: better ended than connected and silent.
    func intakeStandsStill() -> Bool {
        let action = state.withLock { state in
            state.intake.looked(at: .now, isClaiming: isAsking(state))
        }
        switch action {
        case .none: return false
        case .restart:
            broker.logger.warning("the intake stands still; starting it anew", metadata: ["identity": "\(identity)"])
            return true
        case .fail:
            let error = BrokerError(.damaged, "nothing can be claimed although the server answers")
            state.withLock { $0.failure = error }
            signal.fire()
            return false
        }
    }

    func recoverOthers() {
        recoverer.start()
    }

    /// Takes the server's time, which it had at some moment since `asked`.
    func noteTime(_ reply: RESPValue?, asked: ServerClock.Reading) {
        guard let parts = reply?.array, parts.count == 2,
            let seconds = parts[0].text.flatMap(Double.init), let micros = parts[1].text.flatMap(Double.init)
        else { return }
        state.withLock { $0.serverClock.told(seconds + micros / 1e6, asked: asked, answered: .now) }
    }
}
