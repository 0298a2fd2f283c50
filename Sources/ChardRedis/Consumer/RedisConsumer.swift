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
/// Once the lease is in doubt this identity is over: nothing is claimed, settled or handed out any more, what others have
/// not yet taken is handed back, and whoever holds the consumer opens another.
final class RedisConsumer: Consumer {
    let identity: String

    private struct State {
        var lease: LeaseClock
        var holdings = Holdings()
        /// What blocking pops brought while nobody waited in `claim`.
        var caught: [Delivery] = []
        var isClaiming = false
        var turn = 0
        var isOver = false
        /// Until when the leased lists are to be looked through for messages that nobody told us of.
        var suspectUntil: ContinuousClock.Instant?
        var clockOffset = 0.0
        var orders = Orders()
        var intake = IntakeWatch()
        var failure: BrokerError?
    }

    /// How much one script moves or writes, in bytes, a message more or less: it keeps the server from all others.
    private static let batchBytes = 8 << 20

    private let broker: RedisBroker
    private let subscription: Subscription
    private let state: Mutex<State>
    private let signal = Signal()
    private let over = Signal()
    private let loop: NIOLoopBoundBox<RedisConsumerLoop?>
    private let recoverer: Recoverer

    private var keys: RedisKeys { broker.keys }
    private var client: RedisClient { broker.client }

    init(broker: RedisBroker, subscription: Subscription) {
        self.broker = broker
        self.subscription = subscription
        identity = "\(subscription.node)#\(TaskID.random().prefix(8))"
        state = Mutex(State(lease: LeaseClock(lease: broker.settings.lease, renewedAt: .now)))
        loop = NIOLoopBoundBox.makeBoxSendingValue(nil, eventLoop: broker.client.eventLoop)
        recoverer = Recoverer(broker: broker, node: subscription.node)
    }

    var clockOffset: Double { state.withLock { $0.clockOffset } }

    // MARK: Life

    /// Registers the process, and starts what lives on the event loop.
    func open() async throws {
        let sentAt = ContinuousClock.now
        let asked = Date()
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
                    subscription.startedAt.timeIntervalSince1970),
                RedisCommand("PEXPIRE", heartbeat, broker.settings.lease.milliseconds),
                RedisScript.renew.command(
                    keys: [heartbeat], broker.settings.lease.milliseconds, try JSON.encode(subscription.vitals())),
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

    func close() async {
        await end(over: false)
    }

    /// Called when the lease is in doubt.
    func lose() {
        guard endClaiming() else { return }
        Task { await end(over: true) }
    }

    /// Marks the identity as over. Returns whether it was not before.
    private func endClaiming() -> Bool {
        let isFirst = state.withLock { state in
            defer { state.isOver = true }
            return !state.isOver
        }
        if isFirst { over.fire() }
        signal.fire()
        return isFirst
    }

    /// Ends the identity: no pop is left that could bring messages, then what is still held goes back in one step.
    private func end(over isOver: Bool) async {
        let isFirst = endClaiming()
        guard isFirst || isOver else { return }
        await recall()
        try? await client.eventLoop.submit {
            self.loop.value?.close()
            self.loop.value = nil
        }.get()
        // A pop whose connection was lost may still be waiting on the server, for as long as a pop waits.
        let lostSight = state.withLock { $0.suspectUntil != nil } ? stalePop.milliseconds : 0
        var hold = [keys.process(identity), keys.processes, keys.ending(identity)]
        for list in subscription.queues.flatMap(keys.waiting(allOf:)) {
            hold += [keys.leased(identity, list), list]
        }
        do {
            _ = try await client.run(RedisScript.handBack, keys: hold, identity, lostSight)
        } catch {
            // Whoever finds the heartbeat gone gives the messages back.
            broker.logger.debug("nothing was handed back", metadata: ["error": "\(error)"])
        }
    }

    /// Falls silent as a killed process does: no heartbeat, no hand-back. For tests.
    func fallSilent() async {
        _ = endClaiming()
        try? await client.eventLoop.submit {
            self.loop.value?.close()
            self.loop.value = nil
        }.get()
    }

    private var stalePop: Duration { broker.settings.blockingPop * 2 }

    func leaseLost() async {
        await over.wait()
        over.fire()
    }

    // MARK: Claiming

    func claim(upTo count: Int) async throws -> [Delivery] {
        try begin()
        defer { rest() }
        if let caught = takeCaught(count) { return caught }
        noteIntake()
        let deliveries = try await isSuspect ? adoptUnknown() : pop(count)
        if !deliveries.isEmpty { return deliveries }
        try? await client.eventLoop.submit { self.loop.value?.arm() }.get()
        await signal.wait()
        try checkLease()
        return takeCaught(count) ?? []
    }

    func wake() {
        signal.fire()
    }

    private func begin() throws {
        try checkLease()
        state.withLock { $0.isClaiming = true }
    }

    /// The caller has what it wants: unless it soon asks again, blocking pops are called back, so that no message comes
    /// here that another process has room for.
    private func rest() {
        state.withLock { $0.isClaiming = false }
        client.eventLoop.execute { self.loop.value?.scheduleRecall() }
    }

    private func takeCaught(_ count: Int) -> [Delivery]? {
        state.withLock { state in
            guard !state.caught.isEmpty, !state.isOver else { return nil }
            let taken = Array(state.caught.prefix(count))
            state.caught.removeFirst(taken.count)
            return taken
        }
    }

    private func pop(_ count: Int) async throws -> [Delivery] {
        let turn = state.withLock { state in
            state.turn += 1
            return state.turn
        }
        // Each claim begins with the next queue, so that a single free slot serves all of them in turn.
        let orders = state.withLock { $0.orders }
        let open = subscription.queues.filter { !orders.paused.contains($0) }
        let queues = open.indices.map { open[($0 + turn) % open.count] }
        let lists = Priority.steps.indices.flatMap { step in
            queues.map { (queue: $0, list: keys.waiting($0, step: step)) }
        }
        var script = RedisScript.claim.command(
            keys: [keys.process(identity), keys.orders] + lists.flatMap { [$0.list, keys.leased(identity, $0.list)] })
        script.append(orders.number)
        script.append(count)
        script.append(max(1, queues.count))
        script.append(Self.batchBytes)
        let reply = try await persevering(script) { state in state.suspectUntil = .now + .seconds(15) }
        guard let parts = reply.array else {
            lose()
            throw lapsed
        }
        guard parts.first?.text == orders.number else {
            try await learnOrders()
            return try await pop(count)
        }
        var deliveries: [Delivery] = []
        for index in stride(from: 1, to: parts.count - 1, by: 2) {
            guard let pair = parts[index].integer, let payload = parts[index + 1].bytes else { continue }
            let (queue, list) = lists[pair - 1]
            deliveries.append(Delivery(queue: queue, payload: payload, place: list))
        }
        let claimed = deliveries
        state.withLock { $0.holdings.add(claimed) }
        try checkLease()
        return deliveries
    }

    func noteLastChance(of id: String) async throws {
        let key = keys.lastChances(identity)
        _ = try await persevering(RedisCommand("SADD", key, id)) { _ in }
        _ = try await persevering(RedisCommand("EXPIRE", key, 86_400)) { _ in }
    }

    // MARK: Orders

    func isRevoked(_ id: String) -> Bool {
        state.withLock { $0.orders.revoked.contains(id) }
    }

    func isPaused(_ queue: String) -> Bool {
        state.withLock { $0.orders.paused.contains(queue) }
    }

    /// Reads the orders anew; a claim that waits begins again under them.
    func learnOrders() async throws {
        let orders = try await translatingErrors { () throws(RedisError) in
            try Orders(try await client.pipeline(Orders.read(keys)))
        }
        let hasChanged = state.withLock { state in
            defer { state.orders = orders }
            return state.orders.paused != orders.paused
        }
        guard hasChanged else { return }
        await unblock()
        signal.fire()
    }

    /// Takes the number of the present orders.
    func knowsOrders(_ number: String) {
        guard state.withLock({ $0.orders.number != number }) else { return }
        Task { try? await learnOrders() }
    }

    /// Takes what the channel of orders tells: something has changed, and these runs are to be cancelled.
    func ordered(_ ids: [UInt8]) {
        Task { try? await learnOrders() }
        if let ids = try? JSON.decode([String].self, from: ids), !ids.isEmpty {
            subscription.onTerminate(Set(ids))
        }
    }

    // MARK: What the server moved without our learning of it

    private var isSuspect: Bool {
        state.withLock { state in
            guard let until = state.suspectUntil else { return false }
            if .now > until {
                state.suspectUntil = nil
                state.holdings.forgetAdopted()
            }
            return true
        }
    }

    /// Looks through the leased lists for messages whose announcement was lost with its connection.
    private func adoptUnknown() async throws -> [Delivery] {
        let lists = subscription.queues.flatMap { queue in keys.waiting(allOf: queue).map { (queue, $0) } }
        var adopted: [Delivery] = []
        for (queue, list) in lists {
            state.withLock { $0.holdings.beginReading() }
            let reply = try await persevering(RedisCommand("LRANGE", keys.leased(identity, list), 0, -1)) { _ in }
            let messages = (reply.array ?? []).compactMap(\.bytes).reversed()
            adopted += state.withLock { state in
                let unknown = state.holdings.unknown(in: Array(messages), place: list)
                    .map { Delivery(queue: queue, payload: $0, place: list) }
                state.holdings.adopt(unknown)
                return unknown
            }
        }
        if adopted.isEmpty { return try await pop(1) }
        broker.logger.debug("messages were adopted", metadata: ["count": "\(adopted.count)"])
        return adopted
    }

    func suspect() {
        state.withLock { $0.suspectUntil = .now + .seconds(15) }
        signal.fire()
    }

    /// Takes what a blocking pop brought.
    func caught(_ payload: [UInt8], queue: String, list: String) {
        let delivery = Delivery(queue: queue, payload: payload, place: list)
        state.withLock { state in
            guard !state.holdings.wasAdopted(delivery) else { return }
            state.holdings.add([delivery])
            state.caught.append(delivery)
        }
        // Also where it was known already: the pop rests until the next claim.
        signal.fire()
    }

    var isClaiming: Bool { state.withLock { $0.isClaiming && !$0.isOver && $0.lease.holds(at: .now) } }

    /// Ends the blocking pops, and hands back what they brought in the meantime.
    func recall() async {
        await unblock()
        let caught = state.withLock { state in
            guard !state.isClaiming else { return [Delivery]() }
            defer { state.caught = [] }
            return state.caught
        }
        guard !caught.isEmpty else { return }
        _ = try? await settle(caught.reversed().map { Settlement($0, .returned) })
    }

    private func unblock() async {
        let ids = (try? await client.eventLoop.submit { self.loop.value?.blockedIDs ?? [] }.get()) ?? []
        if !ids.isEmpty {
            _ = try? await client.pipeline(ids.map { RedisCommand("CLIENT", "UNBLOCK", $0) })
        }
    }

    // MARK: Settling

    func settle(_ settlements: [Settlement]) async throws -> [Receipt] {
        var receipts = [Receipt](repeating: .settled, count: settlements.count)
        var open = Array(settlements.indices)
        var isRepeated = false
        while !open.isEmpty {
            try checkLease()
            let now = Date().timeIntervalSince1970 + clockOffset
            var script = RedisScript.settle.command(keys: [keys.due])
            var batch = 0
            while batch < open.count, batch == 0 || script.size < Self.batchBytes {
                script.append(settlements[open[batch]], identity: identity, broker: broker, now: now)
                batch += 1
            }
            let command = script
            let answers: [RESPValue]
            (answers, isRepeated) = try await settled(command, isRepeated)
            var kept: [Int] = []
            var trouble: RedisError?
            for (index, answer) in zip(open, answers) {
                if let error = answer.error, error.code == .wrongType {
                    receipts[index] = .uncertain
                    settleLater(settlements[index], because: error)
                } else if let error = answer.error {
                    trouble = error
                    kept.append(index)
                } else if answer.integer == 0 {
                    receipts[index] = isRepeated ? .uncertain : .fenced
                }
            }
            let settled = zip(open, answers).filter { $1.error == nil }.map { settlements[$0.0].delivery }
            state.withLock { state in for delivery in settled { state.holdings.remove(delivery) } }
            if let trouble {
                guard trouble.isRetryable else { throw BrokerError(trouble) }
                try await Task.sleep(for: .milliseconds(200))
            }
            open = kept + open.dropFirst(batch)
        }
        return receipts
    }

    /// Tries again when somebody may have mended it: a key that this settlement needs holds something else. The message
    /// stays leased until then, and nothing else has to wait.
    private func settleLater(_ settlement: Settlement, because error: RedisError) {
        broker.logger.error(
            "a task cannot be settled", metadata: ["queue": "\(settlement.delivery.queue)", "error": "\(error)"])
        Task {
            try await Task.sleep(for: .seconds(2))
            _ = try await settle([settlement])
        }
    }

    /// Sends settlements; says whether they had to be sent more than once.
    private func settled(_ command: RedisCommand, _ wasRepeated: Bool) async throws -> ([RESPValue], Bool) {
        let repeats = Mutex(wasRepeated)
        let reply = try await persevering(command) { _ in repeats.withLock { $0 = true } }
        return (reply.array ?? [], repeats.withLock { $0 })
    }

    func report(_ statuses: [StatusRecord]) async throws {
        var script = RedisScript.store.command(keys: [keys.process(identity)])
        for status in statuses { script.append(status, keys: keys) }
        _ = try await persevering(script) { _ in }
    }

    func isDrained() async throws -> Bool {
        let lists = subscription.queues.flatMap(keys.waiting(allOf:))
        return try await translatingErrors { () throws(RedisError) in
            try await client.pipeline(lists.map { RedisCommand("LLEN", $0) })
        }.allSatisfy { $0.integer == 0 }
    }

    // MARK: The lease

    private var lapsed: BrokerError { BrokerError(.leaseLost, "the lease of \(identity) is over or in doubt") }

    private func checkLease() throws {
        let (holds, isOver, failure) = state.withLock { ($0.lease.holds(at: .now), $0.isOver, $0.failure) }
        if let failure { throw failure }
        if !holds && !isOver { lose() }
        if !holds || isOver { throw lapsed }
    }

    /// Sends a command, and again through lost connections for as long as the lease holds. `onRepeat` is told when the
    /// server may have carried it out without our learning of it.
    private func persevering(
        _ command: RedisCommand, onRepeat: @Sendable (inout State) -> Void
    ) async throws -> RESPValue {
        while true {
            try checkLease()
            do throws(RedisError) {
                return try await client.send(command)
            } catch {
                if error.code == .cancelled { throw CancellationError() }
                guard error.isRetryable else { throw BrokerError(error) }
                state.withLock { onRepeat(&$0) }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    // MARK: What the event loop tells

    func renewed(sentAt: ContinuousClock.Instant, asked: Date, reply: RESPValue) {
        guard !reply.isNull else { return lose() }
        state.withLock { $0.lease.renewed(sentAt: sentAt) }
        noteTime(reply, asked: asked)
    }

    func leaseHolds() -> Bool {
        state.withLock { !$0.isOver && $0.lease.holds(at: .now) }
    }

    /// Something came of a claim or of a blocking pop, if only that there was nothing.
    func noteIntake() {
        state.withLock { $0.intake.moved(at: .now) }
    }

    /// Whether the intake stands still although the server answers, and so must be started anew. When that has not helped
    /// either, the consumer fails, and with it the worker's process: better ended than connected and silent.
    func intakeStandsStill() -> Bool {
        let action = state.withLock { state in
            state.intake.looked(at: .now, isClaiming: state.isClaiming && client.connectedSince != nil)
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
    private func noteTime(_ reply: RESPValue?, asked: Date) {
        guard let parts = reply?.array, parts.count == 2,
            let seconds = parts[0].text.flatMap(Double.init), let micros = parts[1].text.flatMap(Double.init)
        else { return }
        let offset = ClockOffset.between(
            asked.timeIntervalSince1970, seconds + micros / 1e6, Date().timeIntervalSince1970)
        state.withLock { $0.clockOffset = offset }
    }
}

extension RedisCommand {
    /// Adds a settlement as the settling script takes it.
    fileprivate mutating func append(
        _ settlement: Settlement, identity: String, broker: RedisBroker, now: Double
    ) {
        let keys = broker.keys
        append(keys.leased(identity, settlement.delivery.place))
        append(settlement.delivery.payload)
        switch settlement.fate {
        case .finished:
            append("f")
        case .returned:
            append("r")
            append(settlement.delivery.place)
        case .dead(let letter):
            append("d")
            append(letter, broker: broker)
        }
        if let status = settlement.status {
            append(status, keys: keys)
        } else {
            append("")
        }
        append(settlement.followers.count)
        for follower in settlement.followers {
            if let dueAt = follower.dueAt?.timeIntervalSince1970, dueAt > now {
                append("s")
                append(keys.scheduled(follower.queue))
                append(keys.scheduledMessages(follower.queue))
                append(follower.queue)
                append(dueAt)
                append(follower.id)
                append(follower.scheduledEntry)
            } else {
                append("n")
                append(keys.waiting(follower.queue, step: Priority.step(for: follower.priority)))
                append(follower.payload)
            }
        }
    }

    /// Adds a dead letter as the scripts take it, without the message, which they have.
    mutating func append(_ letter: DeadLetter, broker: RedisBroker) {
        var story = letter
        story.payload = []
        var fields = (try? JSON(encoding: story))?.object ?? [:]
        fields["id"] = nil
        append(broker.keys.deadLetter(""))
        append(letter.id.isEmpty ? TaskID.random() : letter.id)
        append(broker.keys.dead(letter.queue))
        append(Array(JSON.object(fields).encoded().dropLast()))
        append(broker.settings.deadLetterTimeToLive.milliseconds)
        append(broker.settings.deadLetterLimit)
    }
}
