// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A hold on a memory broker. One that goes away without having been closed is a lost process.
final class MemoryConsumer: Consumer {
    let identity: String
    let clockOffset = 0.0
    private let subscription: Subscription
    private let broker: MemoryBroker
    private let signal = Signal()
    let ended = Signal()

    init(identity: String, subscription: Subscription, broker: MemoryBroker) {
        self.identity = identity
        self.subscription = subscription
        self.broker = broker
    }

    deinit {
        broker.change { [identity] state, now in state.abandon(identity, now: now) }
    }

    var seal: LossSeal { broker.seal }

    func isRevoked(_ id: String) -> Bool {
        broker.change { state, now in state.isRevoked(id, now: now) }
    }

    func noteLastChance(of id: String) async throws {
        broker.change { [identity] state, _ in state.noteLastChance(of: id, by: identity) }
    }

    func claim(upTo count: Int) async throws -> [Delivery] {
        for isFirst in [true, false] {
            guard
                let deliveries = broker.change({ [identity, signal] state, _ in
                    state.claim(identity, upTo: count) { signal.fire() }
                })
            else {
                throw BrokerError(.leaseLost, "the lease of \(identity) is gone")
            }
            if !deliveries.isEmpty { return deliveries }
            if isFirst { await signal.wait() }
        }
        return []
    }

    func wake() {
        signal.fire()
    }

    func settle(_ settlements: [Settlement]) async throws -> [Receipt] {
        broker.change { [identity] state, now in
            settlements.map { state.settle($0, by: identity, now: now) }
        }
    }

    func report(_ effects: Effects) async throws -> Bool {
        broker.change { [identity] state, now in
            guard state.isOpen(identity) else { return false }
            state.write(effects, now: now)
            return true
        }
    }

    func leaseLost() async {
        await ended.wait()
        ended.fire()
    }

    func isDrained() async throws -> Bool {
        broker.change { [subscription] state, _ in state.isDrained(subscription.queues) }
    }

    func close() async {
        broker.change { [identity] state, now in state.end(identity, isLost: false, now: now) }
    }
}
