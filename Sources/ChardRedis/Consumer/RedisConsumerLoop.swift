// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import NIOCore

/// The part of a consumer that lives on the event loop, where no task can block it: heartbeat, blocking pops, timers.
final class RedisConsumerLoop {
    private unowned let consumer: RedisConsumer
    private let broker: RedisBroker
    private let subscription: Subscription
    private let identity: String
    private let heartbeat: String
    private var pops: [BlockedPop] = []
    private var promoters: [Promoter] = []
    private var pulse: RepeatedTask?
    private var beats = 0
    private var isRenewing = false
    private var isRecallScheduled = false
    private var isClosed = false
    private var subscriptions: Task<[RedisSubscription], Never>?

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
            broker.keys.waiting(allOf: queue).map { list in
                BlockedPop(
                    list: list, leased: broker.keys.leased(identity, list), broker: broker,
                    messageLimit: subscription.messageLimit,
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
        subscriptions = Task { [broker, consumer = Weak(consumer)] in
            let due = try? await broker.subscriber.subscribe(to: broker.keys.due) { queue in
                box.value.promote(String(decoding: queue, as: UTF8.self))
            }
            let orders = try? await broker.subscriber.subscribe(to: broker.keys.orders) { ids in
                consumer.value?.ordered(ids)
            }
            return [due, orders].compactMap { $0 }
        }
    }

    /// Once a second: renew in time, notice a lapse, look for lost processes, and, as a net below the timers, for what is
    /// due.
    private func beat() {
        guard !isClosed else { return }
        guard consumer.leaseHolds() else { return consumer.lose() }
        let settings = broker.settings
        let seconds = { (duration: Duration) in max(1, Int(duration / .seconds(1))) }
        if beats % seconds(settings.heartbeat) == 0 {
            renew()
            for promoter in promoters { promoter.promote() }
        }
        if beats % seconds(settings.recovery) == 0 { consumer.recoverOthers() }
        if consumer.intakeStandsStill() { restartIntake() }
        beats += 1
    }

    private func restartIntake() {
        for pop in pops { pop.close() }
        consumer.suspect()
        pops = makePops()
        arm()
    }

    private func renew() {
        guard !isRenewing else { return }
        isRenewing = true
        let vitals = (try? JSON.encode(subscription.vitals())) ?? Array("{}".utf8)
        let command = RedisScript.renew.command(keys: [heartbeat], broker.settings.lease.milliseconds, vitals)
        let sentAt = ContinuousClock.now
        let asked = Date()
        let orders = RedisCommand("GET", broker.keys.orders)
        broker.client.submit([command, orders]).assumeIsolated().whenComplete { result in
            self.isRenewing = false
            switch result {
            case .success(let replies) where replies[0].error == nil:
                self.consumer.renewed(sentAt: sentAt, asked: asked, reply: replies[0])
                // Told on a channel, too; but what is told while its connection is away is not repeated.
                self.consumer.knowsOrders(replies[1].text ?? "0")
            default:
                // The next second may find the connection back.
                self.beats = 0
            }
        }
    }

    private func promote(_ queue: String) {
        promoters.first { $0.queue == queue }?.promote()
    }

    // MARK: Blocking pops

    func arm() {
        for pop in pops { pop.arm() }
    }

    var blockedIDs: [Int] { pops.compactMap(\.clientID) }

    /// Gives the caller a moment to claim again before the pops are called back.
    func scheduleRecall() {
        guard !isRecallScheduled, !isClosed else { return }
        isRecallScheduled = true
        broker.client.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(2)) {
            self.isRecallScheduled = false
            guard !self.isClosed, !self.consumer.isClaiming else { return }
            let consumer = self.consumer
            Task { await consumer.recall() }
        }
    }

    func close() {
        isClosed = true
        pulse?.cancel()
        for pop in pops { pop.close() }
        for promoter in promoters { promoter.close() }
        Task { [subscriptions] in
            for subscription in await subscriptions?.value ?? [] { subscription.cancel() }
        }
    }
}

/// A reference that keeps nothing alive.
private struct Weak: Sendable {
    private(set) weak var value: RedisConsumer?

    init(_ value: RedisConsumer) { self.value = value }
}
