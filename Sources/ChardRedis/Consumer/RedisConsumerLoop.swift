// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Logging
import NIOCore

/// The part of a consumer that lives on the event loop, where no task can block it: heartbeat, blocking pops, timers.
final class RedisConsumerLoop {
    /// Weak, since a consumer that nobody closes goes away with its holder; what lives here then ends with the next beat.
    private weak var consumer: RedisConsumer?
    private let broker: RedisBroker
    private let subscription: Subscription
    private let identity: String
    private let heartbeat: String
    private var pops: [BlockedPop] = []
    private var promoters: [Promoter] = []
    private var pulse: RepeatedTask?
    private var beats = 0
    private var isRenewing = false
    private var renewals = 0
    /// The figures that the server has.
    private var vitals: [UInt8] = []
    /// Since when the connection stands over which the others were opened, too.
    private var connectedSince: ContinuousClock.Instant?
    private var isRecallScheduled = false
    private var isClosed = false
    private var subscriptions: [LastingSubscription] = []

    init(_ consumer: RedisConsumer, _ broker: RedisBroker, _ subscription: Subscription, _ identity: String) {
        self.consumer = consumer
        self.broker = broker
        self.subscription = subscription
        heartbeat = broker.keys.process(identity)
        self.identity = identity
        promoters = subscription.queues.map { Promoter(queue: $0, broker: broker) }
        pops = makePops()
    }

    private func makePops() -> [BlockedPop] {
        subscription.queues.flatMap { queue in
            broker.keys.waiting(allOf: queue).enumerated().map { step, list in
                BlockedPop(
                    list: list, leased: broker.keys.leased(identity, list), broker: broker,
                    wait: broker.settings.blockingPop,
                    countsRest: step == 0, messageLimit: subscription.messageLimit,
                    isWanted: { [weak consumer] in consumer.map { $0.isClaiming && !$0.isPaused(queue) } ?? false },
                    answered: { [weak consumer, weak self] payload in
                        consumer?.noteIntake()
                        guard let payload else { return }
                        consumer?.caught(payload, queue: queue, list: list)
                        self?.scheduleRecall()
                    },
                    lostReply: { [weak consumer] in consumer?.suspect() })
            }
        }
    }

    func start() {
        let box = NIOLoopBound(self, eventLoop: broker.client.eventLoop)
        pulse = broker.client.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .seconds(1)) { _ in
            box.value.beat()
        }
        // What was told before the server listened for us, or while its connection was away, is asked for.
        subscriptions = [
            broker.listen(to: broker.keys.due) {
                box.value.promote(String(decoding: $0, as: UTF8.self))
            } whenSubscribed: {
                box.value.promote()
            },
            broker.listen(to: broker.keys.orders) { [consumer = Weak(consumer)] in
                consumer.value?.ordered($0)
            } whenSubscribed: { [consumer = Weak(consumer)] in
                consumer.value?.ordered(Array("[]".utf8))
            },
        ]
    }

    /// Once a second: renew in time, notice a lapse, look for lost processes, and, as a net below the timers, for what is
    /// due.
    private func beat() {
        guard !isClosed else { return }
        guard let consumer else { return close() }
        guard consumer.leaseHolds() else { return consumer.lose() }
        let settings = broker.settings
        let seconds = { (duration: Duration) in max(1, Int(duration / .seconds(1))) }
        if beats % seconds(settings.heartbeat) == 0 { renew() }
        if beats % seconds(settings.heartbeat * 10) == 0 { promote() }
        if beats % seconds(settings.recovery) == 0 { consumer.recoverOthers() }
        if consumer.intakeStandsStill() || isReconnected { restartIntake() }
        beats += 1
    }

    /// Whether the client has had to connect again: the blocking pops' connections, which are silent for longer, have
    /// probably ended with its own.
    private var isReconnected: Bool {
        guard let since = broker.client.connectedSince, since != connectedSince else { return false }
        defer { connectedSince = since }
        return connectedSince != nil
    }

    private func restartIntake() {
        for pop in pops { pop.close() }
        consumer?.suspect()
        pops = makePops()
        arm()
    }

    private func renew() {
        guard !isRenewing else { return }
        isRenewing = true
        let vitals = (try? JSON.encode(subscription.vitals())) ?? Array("{}".utf8)
        let lease = broker.settings.lease.milliseconds
        var commands = [
            vitals == self.vitals
                ? RedisCommand("PEXPIRE", heartbeat, lease)
                : RedisScript.renew.command(keys: [heartbeat], lease, vitals)
        ]
        renewals += 1
        if renewals % 3 == 0 { commands += [RedisCommand("GET", broker.keys.orders), RedisCommand("TIME")] }
        let sentAt = ContinuousClock.now
        let asked = ServerClock.Reading.now
        broker.client.submit(commands).assumeIsolated().whenComplete { result in
            self.isRenewing = false
            switch result {
            case .success(let replies) where replies[0].integer == 0:
                self.consumer?.lose()
            case .success(let replies) where replies[0].error == nil:
                self.vitals = vitals
                self.consumer?.renewed(sentAt: sentAt)
                guard replies.count == 3 else { return }
                // Told on a channel, too; but what is told while its connection is away is not repeated.
                self.consumer?.knowsOrders(replies[1].text ?? "0")
                self.consumer?.noteTime(replies[2], asked: asked)
            default:
                // The next second may find the connection back.
                self.beats = 0
            }
        }
    }

    private func promote() {
        for promoter in promoters { promoter.promote() }
    }

    private func promote(_ queue: String) {
        promoters.first { $0.queue == queue }?.promote()
    }

    // MARK: Blocking pops

    func arm() {
        for pop in pops { pop.arm() }
    }

    /// Whether all lists are empty as far as the pops know.
    var knowsEmpty: Bool { pops.allSatisfy(\.knowsEmpty) }

    /// Takes messages from one list over the connection of its pop; nil where that cannot be done now.
    func take(from list: String, _ commands: [RedisCommand]) -> EventLoopFuture<[RESPValue]>? {
        guard consumer?.leaseHolds() ?? false else { return nil }
        return pops.first { $0.list == list }?.take(commands)
    }

    var blockedIDs: [Int] { pops.compactMap(\.clientID) }

    /// Whether there are pops that the server has not answered yet.
    var isPopping: Bool { pops.contains(where: \.isBlocked) }

    /// Gives the caller a moment to claim again before the pops are called back. Mostly it has done so already.
    func scheduleRecall() {
        guard !isRecallScheduled, !isClosed, consumer?.isClaiming == false else { return }
        isRecallScheduled = true
        broker.client.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(2)) {
            self.isRecallScheduled = false
            guard !self.isClosed, let consumer = self.consumer, !consumer.isClaiming else { return }
            Task(executorPreference: self.broker.executor) { await consumer.recall() }
        }
    }

    func close() {
        isClosed = true
        pulse?.cancel()
        for pop in pops { pop.close() }
        for promoter in promoters { promoter.close() }
        subscriptions = []
    }
}

/// A reference that keeps nothing alive.
private struct Weak: Sendable {
    private(set) weak var value: RedisConsumer?

    init(_ value: RedisConsumer?) { self.value = value }
}
