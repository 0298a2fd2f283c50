// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Synchronization

/// One process's hold on a file, and what is claimed and settled under it.
///
/// Heartbeats, the search for work and the timers of delayed messages are on the engine's thread, see ``Hold``. Once the
/// lease is in doubt this identity is over, and whoever holds the consumer closes it and opens another.
final class SQLiteConsumer: Consumer {
    /// All processes are on one machine.
    let clockOffset = 0.0
    let hold: Hold
    let seal: LossSeal

    private let engine: Engine
    /// Counts claims, each of which begins with the next queue.
    private let turn = Atomic(0)
    private let isWoken = Atomic(false)

    /// Opens a hold under a fresh identity.
    static func open(_ subscription: Subscription, _ engine: Engine, lease: Duration) async throws -> SQLiteConsumer {
        let identity = "\(subscription.node)#\(TaskID.random().prefix(8))"
        // Nothing is put beside a file that is not ours.
        try await engine.open()
        // Locked before the row is there, so that nobody sees a holder that seems to have ended.
        let lock = HolderLock(engine.location.bell)
        let pid = Int(ProcessInfo.processInfo.processIdentifier)
        let (hold, seal) = try await engine.write(durably: false) { transaction in
            let clock = LeaseClock(lease: lease, renewedAt: .now)
            let number = try transaction.open(identity, subscription, pid: pid, lock?.place)
            let orders = try KnownOrders.present(transaction.db, now: transaction.time)
            let seal = try StoredSeal.present(transaction.db)
            return (Hold(identity, number, subscription, lock, clock, orders), seal)
        } afterwards: { loop, opened in
            loop.add(opened.0)
            opened.0.watchLease()
        }
        return SQLiteConsumer(hold, seal, engine)
    }

    private init(_ hold: Hold, _ seal: LossSeal, _ engine: Engine) {
        self.hold = hold
        self.seal = seal
        self.engine = engine
    }

    var identity: String { hold.identity }

    func leaseLost() async { await hold.ended() }

    func close() async {
        guard hold.close() else { return }
        await withCheckedContinuation { continuation in
            engine.submit(
                Job(isDurable: false) { [hold] transaction in
                    try transaction.handBack(hold.number)
                    return { loop in
                        loop.remove(hold.number)
                        hold.unlock()
                        continuation.resume()
                    }
                } fail: { _ in
                    continuation.resume()
                })
        }
    }

    /// Falls silent, for tests: as a process does that hangs or, with `ended`, as one does that was killed.
    func fallSilent(ended: Bool) async {
        hold.close()
        if ended { hold.unlock() }
        _ = try? await engine.write(durably: false) { _ in
        } afterwards: { [hold] loop, _ in
            loop.remove(hold.number)
        }
    }

    // MARK: Claiming

    func isRevoked(_ id: String) -> Bool { hold.isRevoked(id) }

    func claim(upTo count: Int) async throws -> [Delivery] {
        while true {
            try hold.check()
            if !hold.isIdle {
                let deliveries = try await take(upTo: count)
                // What was claimed under a lease that is in doubt is handed back with all the rest.
                try hold.check()
                if !deliveries.isEmpty { return deliveries }
            }
            if isWoken.exchange(false, ordering: .relaxed) || Task.isCancelled { return [] }
            if hold.isIdle { await hold.signal.wait() }
        }
    }

    private func take(upTo count: Int) async throws -> [Delivery] {
        try await persevering(durably: false) { [self, hold] transaction in
            // Each claim begins with the next queue, so that a single free slot serves all of them in turn.
            let turn = turn.add(1, ordering: .relaxed).oldValue
            return try transaction.claim(
                upTo: count, for: hold.number, from: hold.queues, turn: turn, knowing: hold.orders)
        } afterwards: { [hold] _, claim in
            guard let claim else { return hold.end() }
            if let news = claim.news { hold.learn(news.orders, terminated: news.terminated) }
            if claim.isExhausted { hold.foundAll() }
        }?.deliveries ?? []
    }

    func wake() {
        isWoken.store(true, ordering: .relaxed)
        hold.signal.fire()
    }

    func noteLastChance(of id: String) async throws {
        try await persevering(durably: true) { [hold] transaction in
            try transaction.noteLastChance(of: id, by: hold.number)
        }
    }

    func isDrained() async throws -> Bool {
        try await engine.read { [hold] db in
            try !hold.queues.contains { try StoredMessage.waits(db, in: $0) }
        }
    }

    // MARK: Settling

    /// From so many bytes on, an end may be what the file has no room for, while others go on.
    private static let large = 16 << 10

    /// What is too large for the file does not hold up the rest: it is refused.
    func settle(_ settlements: [Settlement]) async throws -> [Receipt] {
        guard settlements.contains(where: { $0.effects.size >= Self.large }) else {
            return settlements.isEmpty ? [] : try await persevering { try await write(settlements) }
        }
        do {
            return try await persevering(unless: \.mayBeTooLarge) { try await write(settlements) }
        } catch let error as BrokerError where error.mayBeTooLarge {}
        var receipts: [Receipt] = []
        for settlement in settlements {
            let isLarge = settlement.effects.size >= Self.large
            do {
                receipts += try await persevering(unless: { isLarge && $0.mayBeTooLarge }) {
                    try await write([settlement])
                }
            } catch let error as BrokerError where isLarge && error.mayBeTooLarge {
                receipts.append(Receipt(.refused(because: error.message, isForGood: error.code == .tooLarge)))
            }
        }
        return receipts
    }

    private func write(_ settlements: [Settlement]) async throws -> [Receipt] {
        try await engine.write(durably: true) { [hold] transaction in
            try settlements.map { try transaction.settle($0, by: hold.number) }
        }
    }

    func report(_ effects: Effects) async throws -> Bool {
        // Statuses on the way may go with the machine's power, what a body has done may not.
        let isDurable = effects.contains { if case .store = $0 { false } else { true } }
        return try await persevering(durably: isDurable) { [hold] transaction in
            guard try transaction.isHolder(hold.number) else { return false }
            try transaction.write(effects)
            return true
        }
    }

    /// Changes the file, trying again for as long as the lease holds.
    private func persevering<Value: Sendable>(
        durably: Bool, _ body: @escaping @Sendable (inout Transaction) throws -> Value,
        afterwards: @escaping @Sendable (EngineLoop, Value) -> Void = { _, _ in }
    ) async throws -> Value {
        try await persevering { try await engine.write(durably: durably, body, afterwards: afterwards) }
    }

    private func persevering<Value: Sendable>(
        unless isHopeless: (BrokerError) -> Bool = { _ in false }, _ body: () async throws -> Value
    ) async throws -> Value {
        while true {
            try hold.check()
            do {
                return try await body()
            } catch let error as BrokerError where error.isRetryable && !isHopeless(error) {
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }
}

extension BrokerError {
    /// Whether something smaller might be taken.
    fileprivate var mayBeTooLarge: Bool { code == .refused || code == .tooLarge }
}
