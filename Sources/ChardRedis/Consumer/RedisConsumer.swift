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
/// none. What happens is told to a ``ConsumerMachine``, which lives on the connection's event loop, where no task can block
/// it: see ``RedisConsumerCore``.
///
/// Once the lease is in doubt this identity is over: nothing is claimed, settled or handed out any more. Whoever holds the
/// consumer closes it, by which what others have not yet taken is handed back, and opens another.
final class RedisConsumer: Consumer {
    let identity: String
    let core: NIOLoopBoundBox<RedisConsumerCore>
    private let server: RedisAccess
    private let subscription: Subscription
    private let writer: LeasedWriter
    private let view = ConsumerView()
    private let loss = Signal()
    private let sealed = Mutex(LossSeal.random())

    private var keys: RedisKeys { server.keys }

    init(server: RedisAccess, subscription: Subscription) {
        self.server = server
        self.subscription = subscription
        identity = "\(subscription.node)#\(TaskID.random().prefix(8))"
        core = NIOLoopBoundBox.makeBoxSendingValue(
            RedisConsumerCore(server, subscription, identity: identity, view: view, onLoss: loss),
            eventLoop: server.client.eventLoop)
        writer = LeasedWriter(core: core, server: server)
    }

    /// A consumer that nobody closes falls silent with its holder.
    deinit {
        let core = core
        core.eventLoop.execute { core.value.end() }
    }

    // MARK: Life

    /// Registers the process, and starts what lives on the event loop.
    /// - Throws: What the server does not let a worker do, if there is something: all of it is tried.
    func open() async throws {
        try await open(mayMend: true)
    }

    private func open(mayMend: Bool) async throws {
        let sentAt = ContinuousClock.now
        let asked = ServerClock.Reading.now
        let heartbeat = keys.heartbeat(identity)
        let rights = WorkerRights(subscription.queues, identity: identity, keys)
        var open = ScriptCall(.open)
        open.append(key: heartbeat)
        open.append(key: keys.holders)
        open.append(server.settings.lease.milliseconds)
        open.append(identity)
        open.append(Holder(node: subscription.node, queues: subscription.queues, priorities: keys.priorities).text)
        for (name, value) in try fields { open.append(contentsOf: [Array(name.utf8), value]) }
        // Only who is on duty listens to what is due; but that may be anybody. Before all else, since this opens the connection for news
        // while the rest is asked for over the other one.
        let due = server.listen(to: keys.due, { _ in }, whenSubscribed: {})
        let offered = LossSeal.random()
        let trials = rights.commands + server.sealing(with: offered)
        let batch = trials + server.bindings(of: subscription.queues) + [open.command]
        let replies = try await translatingErrors { () throws(RedisError) in try await server.client.pipeline(batch) }
        try await check(rights, replies)
        let wrong = replies.dropFirst(trials.count).lazy.compactMap(\.error).first { $0.code == .wrongType }
        if mayMend, let wrong {
            try await translatingErrors { () throws(RedisError) in
                try await server.putAsideAtOnce(of: subscription.queues, worker: subscription.node, because: wrong)
            }
            return try await self.open(mayMend: false)
        }
        for reply in replies.dropFirst(trials.count) {
            // Where the memory is full, a queue that nobody has sent to is made known later.
            guard let error = reply.error, error.code != .outOfMemory else { continue }
            throw BrokerError(error)
        }
        if replies.dropFirst(trials.count).allSatisfy({ $0.error == nil }) { server.noteBound(subscription.queues) }
        view.noteTime(replies.last, asked: asked)
        let seal = server.seal(by: replies[(trials.count - 2)..<trials.count], offered, for: subscription.node)
        sealed.withLock { $0 = seal }
        let orders = await core.run { $0.start(renewedAt: sentAt) }
        for (channel, subscription) in [(keys.orders, orders), (keys.due, due)] {
            do {
                try await subscription.confirmed()
            } catch  where error.code == .noPermission {
                var missing = WorkerRights.Missing()
                missing.note(error, command: "subscribe", channel: "chard:*", keys)
                await close()
                throw missing.error(server.url.peer) ?? BrokerError(error)
            } catch {
                server.logger.warning("not subscribed yet", metadata: ["channel": "\(channel)", "error": "\(error)"])
            }
        }
    }

    var seal: LossSeal { sealed.withLock { $0 } }
    var stalled: Duration { view.stalled }

    /// What the heartbeat says of this process.
    private var fields: [(name: String, value: [UInt8])] {
        get throws {
            [
                ("node", Array(subscription.node.utf8)),
                ("pid", Array("\(ProcessInfo.processInfo.processIdentifier)".utf8)),
                ("queues", try JSON.encode(subscription.queues)),
                ("concurrency", Array("\(subscription.concurrency)".utf8)),
                ("started", Array("\(subscription.startedAt.timeIntervalSince1970)".utf8)),
                ("lease", Array("\(server.settings.lease.milliseconds)".utf8)),
            ]
        }
    }

    private func check(_ rights: WorkerRights, _ replies: [RESPValue]) async throws {
        var missing = rights.missing(in: replies)
        if missing.hasKeys {
            let replies = try await translatingErrors { () throws(RedisError) in
                try await server.client.pipeline(rights.commandsForKeys)
            }
            missing.rules.formUnion(rights.missingKeys(in: replies))
        }
        guard let error = missing.error(server.url.peer) else { return }
        _ = try? await server.client.pipeline(rights.cleaning)
        throw error
    }

    /// Ends the identity: no pop is left that could bring messages, then what is still held goes back in one step.
    func close() async {
        let core = core
        let hasLostSight = await withCheckedContinuation { continuation in
            core.eventLoop.execute { core.value.close(continuation) }
        }
        guard let hasLostSight else { return }
        let holder = [keys.heartbeat(identity), keys.holders, keys.ending(identity), keys.duty]
        let lists = subscription.queues.flatMap(keys.waiting(allOf:))
        let stalePop = server.settings.longestPop(of: subscription.queues.count) * 2
        let most = ScriptCall.most / 2 - holder.count
        var isWhole = true
        do {
            // Once also where no queue is served: the hold itself ends.
            for start in stride(from: 0, to: max(1, lists.count), by: most) {
                let portion = lists[start..<min(start + most, lists.count)]
                let isLast = portion.endIndex == lists.count
                // Also where the task that ran the worker was cancelled: that is one of the ways to end it.
                let reply = try await server.client.sendWhatever(
                    RedisScript.handBack.command(
                        keys: holder + portion.flatMap { [keys.leased(identity, $0), $0] }, isLast ? identity : "",
                        hasLostSight ? stalePop.milliseconds : 0, isWhole ? 1 : 0))
                isWhole = reply.integer == 1
            }
        } catch {
            // Whoever finds the heartbeat gone gives the messages back.
            server.logger.debug("nothing was handed back", metadata: ["error": "\(error)"])
        }
    }

    /// Falls silent as a killed process does: no heartbeat, no hand-back. For tests.
    func fallSilent() async {
        await core.run { $0.end() }
    }

    func leaseLost() async {
        await loss.wait()
        loss.fire()
    }

    // MARK: Claiming

    func claim(upTo count: Int) async throws -> [Delivery] {
        let core = core
        let deliveries = try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                if core.eventLoop.inEventLoop { return core.value.claim(count, continuation) }
                core.eventLoop.execute { core.value.claim(count, continuation) }
            }
        } onCancel: {
            wake()
        }
        if !view.isWholeOfRevocations, !deliveries.isEmpty { try await askRevoked(deliveries) }
        return deliveries
    }

    /// Asks which of these are revoked, where that is not all known here: just after the start, or of very many.
    private func askRevoked(_ deliveries: [Delivery]) async throws {
        let ids = deliveries.flatMap { delivery -> [String] in
            guard let message = try? TaskMessage(decoding: delivery.payload, limits: .held) else { return [] }
            return [message.id] + (message.workflowOrder.map { [$0] } ?? [])
        }
        for start in stride(from: 0, to: ids.count, by: 500) {
            let some = ids[start..<min(start + 500, ids.count)]
            var question = RedisCommand("ZMSCORE", keys.revoked)
            question.append(contentsOf: some)
            do {
                let scores = try await writer.write(question).reply.array ?? []
                view.learn(asked: zip(some, scores).compactMap { $1.isNull ? nil : $0 })
            } catch let error as BrokerError where error.code == .damaged {
                guard let cause = error.underlying as? RedisError else { throw error }
                server.look(into: cause, of: [], by: subscription.node)
            }
        }
    }

    func wake() {
        let core = core
        core.eventLoop.execute { core.value.handle(.wake) }
    }

    // MARK: What the holder is told

    var clockOffset: Double { view.clockOffset }

    func isRevoked(_ id: String) -> Bool { view.isRevoked(id) }

    func isDrained() async throws -> Bool {
        let waiting = subscription.queues.flatMap(keys.waiting(allOf:))
        let lists = waiting + subscription.queues.flatMap(keys.ripe(allOf:))
        // What is leased is asked for last: where there is more than is known, its announcement is under way.
        let all = lists + waiting.map { keys.leased(identity, $0) }
        let counts = try await translatingErrors { () throws(RedisError) in
            try await server.client.pipeline(all.map { RedisCommand("LLEN", $0) })
        }.map { $0.integer ?? 0 }
        guard counts.prefix(lists.count).allSatisfy({ $0 == 0 }) else { return false }
        return counts.suffix(waiting.count).reduce(0, +) <= (await core.run { $0.machine.stock.count })
    }

    // MARK: Writing

    func settle(_ settlements: [Settlement]) async throws -> [Receipt] {
        try await writer.settle(settlements)
    }

    func report(_ effects: Effects) async throws -> Bool {
        var call = ScriptCall(.report)
        call.append(key: keys.heartbeat(identity))
        call.append(effects, keys, server.settings, now: 0)
        let statuses = effects.statuses
        do {
            return try await writer.write(call.command, isUrgent: false).reply.integer != 0
        } catch let error as BrokerError where error.code == .refused && statuses.count == effects.count {
            // No task must wait for room for what is told on the way.
            server.logger.warning(
                "a status on the way is not stored",
                metadata: [LogKey.taskID: "\(statuses.first?.id ?? "")", "error": "\(error)"])
            return false
        }
    }

    func noteLastChance(of id: String) async throws {
        _ = try await writer.write(RedisScript.noteLastChance.command(keys: [keys.lastChances(identity)], id, 86_400))
    }
}
