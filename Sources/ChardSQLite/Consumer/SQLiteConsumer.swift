// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Synchronization

/// One process's hold on a file.
///
/// Its row in `holder` is the lease of all that it holds. Heartbeats, the search for work and the timers of scheduled
/// messages are on the engine's thread; whether the lease still holds is watched from another one.
///
/// Once the lease is in doubt this identity is over: nothing is claimed, settled or handed out any more, what others have
/// not yet taken is handed back, and whoever holds the consumer opens another.
final class SQLiteConsumer: Consumer {
    let identity: String
    /// All processes are on one machine.
    let clockOffset = 0.0
    let number: Int64
    let queues: [String]

    private struct State {
        var isOver = false
        var isClosed = false
        /// Whether a claim may find something: it did the last time, or there was news since.
        var mayHaveWork = true
        var isWoken = false
        var isSilent = false
        var orders = Orders()
        var turn = 0
    }

    private let engine: Engine
    private let subscription: Subscription
    private let lifeline: Lifeline?
    private let lease: LeaseGuard
    private let state = Mutex(State())
    private let signal = Signal()
    private let over = Signal()

    /// Opens a hold under a fresh identity.
    static func open(_ subscription: Subscription, _ engine: Engine, lease: Duration) async throws -> SQLiteConsumer {
        let identity = "\(subscription.node)#\(TaskID.random().prefix(8))"
        // Nothing is put beside a file that is not ours.
        try await engine.open()
        // Locked before the row is there, so that nobody sees a holder without its lifeline.
        let lifeline = Lifeline(engine.location.bell)
        let pid = Int(ProcessInfo.processInfo.processIdentifier)
        return try await engine.write(durably: false) { transaction in
            let startedAt = ContinuousClock.now
            let number = try transaction.open(identity, subscription, pid: pid, lifeline)
            return SQLiteConsumer(
                identity, number, subscription, engine, lifeline, LeaseGuard(lease: lease, renewedAt: startedAt))
        } afterwards: { loop, consumer in
            loop.add(consumer)
            consumer.watchLease()
        }
    }

    private init(
        _ identity: String, _ number: Int64, _ subscription: Subscription, _ engine: Engine, _ lifeline: Lifeline?,
        _ lease: LeaseGuard
    ) {
        self.identity = identity
        self.number = number
        self.subscription = subscription
        self.engine = engine
        self.lifeline = lifeline
        self.lease = lease
        queues = subscription.queues
    }

    // MARK: The lease

    private func watchLease() {
        lease.watch { [weak self] in
            self?.lose()
        } while: { [weak self] in
            self?.state.withLock { !$0.isOver } ?? false
        }
    }

    /// Whether the hold goes on; asked before each heartbeat.
    func isHeld() -> Bool {
        if !lease.holds { lose() }
        return state.withLock { !$0.isOver && !$0.isSilent }
    }

    /// The next heartbeat, as part of the transaction that is about to be written.
    func beat(at now: ContinuousClock.Instant) -> Job {
        let vitals = (try? JSON.encode(subscription.vitals())) ?? Array("{}".utf8)
        return Job(isDurable: false) { [number] transaction in
            let isHolder = try transaction.beat(number, vitals: vitals)
            return { [weak self] loop in
                guard let self else { return }
                guard isHolder else { return lose() }
                lease.renewed(at: now)
                loop.hasBeaten(number, at: now)
            }
        } fail: { _ in
            // Tried again soon; where that goes on for too long, the lease is over.
        }
    }

    private func checkLease() throws {
        if !lease.holds { lose() }
        guard state.withLock({ !$0.isOver }) else {
            throw BrokerError(.leaseLost, "the lease of \(identity) is over or in doubt")
        }
    }

    /// Marks the identity as over, when the lease is in doubt. Nothing is handed back before the holder has seen to what it
    /// runs, and closes; should this process end before, the others find it. Without `handingBack` there is nothing to go back
    /// to: the file is another one.
    func lose(handingBack: Bool = true) {
        let isFirst = state.withLock { state in
            defer { state.isOver = true }
            if !handingBack { state.isClosed = true }
            return !state.isOver
        }
        if isFirst { over.fire() }
        signal.fire()
    }

    /// Takes the statuses of lost tasks that were put aside.
    func tellBuried(_ statuses: [StatusRecord]) { subscription.onBuried(statuses) }

    func leaseLost() async {
        await over.wait()
        over.fire()
    }

    func close() async {
        lose()
        let isFirst = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        guard isFirst else { return }
        await withCheckedContinuation { continuation in
            engine.submit(
                Job(isDurable: false) { [number, lifeline] transaction in
                    try transaction.handBack(number)
                    return { loop in
                        loop.remove(number)
                        lifeline?.cut()
                        continuation.resume()
                    }
                } fail: { _ in
                    continuation.resume()
                })
        }
    }

    /// Falls silent, for tests: as a process does that hangs or, with `cut`, as one does that was killed.
    func fallSilent(cut: Bool) async {
        state.withLock { $0.isSilent = true }
        lose(handingBack: false)
        if cut { lifeline?.cut() }
        _ = try? await engine.write(durably: false) { _ in
        } afterwards: { [number] loop, _ in
            loop.remove(number)
        }
    }

    // MARK: What the engine's thread tells

    var orders: Orders { state.withLock { $0.orders } }
    /// Whether it waits for news of work.
    var isIdle: Bool { state.withLock { !$0.mayHaveWork } }

    /// There may be work in some queues.
    func hear(of work: Set<String>) {
        guard queues.contains(where: work.contains) else { return }
        state.withLock { $0.mayHaveWork = true }
        signal.fire()
    }

    func learn(_ orders: Orders, terminated: Set<String>) {
        state.withLock { state in
            state.orders = orders
            state.mayHaveWork = true
        }
        signal.fire()
        if !terminated.isEmpty { subscription.onTerminate(terminated) }
    }

    // MARK: Claiming

    func isRevoked(_ id: String) -> Bool {
        state.withLock { $0.orders.revoked.contains(id) }
    }

    func claim(upTo count: Int) async throws -> [Delivery] {
        while true {
            try checkLease()
            if state.withLock({ $0.mayHaveWork }) {
                let deliveries = try await persevering(durably: false, claiming: count)
                // What was claimed under a lease that is in doubt is handed back with all the rest.
                try checkLease()
                if !deliveries.isEmpty { return deliveries }
            }
            let isWoken = state.withLock { state in
                defer { state.isWoken = false }
                return state.isWoken
            }
            if isWoken || Task.isCancelled { return [] }
            if state.withLock({ !$0.mayHaveWork }) { await signal.wait() }
        }
    }

    private func persevering(durably: Bool, claiming count: Int) async throws -> [Delivery] {
        try await persevering(durably: durably) { [self] transaction in
            let (known, turn) = state.withLock { state in
                state.turn += 1
                return (state.orders, state.turn)
            }
            // Each claim begins with the next queue, so that a single free slot serves all of them in turn.
            let inTurn = queues.indices.map { queues[($0 + turn) % queues.count] }
            return try transaction.claim(upTo: count, for: number, from: inTurn, knowing: known)
        } afterwards: { [self] _, claim in
            guard let claim else { return lose() }
            if let news = claim.news { learn(news.orders, terminated: news.terminated) }
            // On the engine's thread, where news of work comes from: what is told later is newer than this.
            if claim.isExhausted { state.withLock { $0.mayHaveWork = false } }
        }?.deliveries ?? []
    }

    func wake() {
        state.withLock { $0.isWoken = true }
        signal.fire()
    }

    func noteLastChance(of id: String) async throws {
        try await persevering(durably: true) { [number] transaction in
            try transaction.noteLastChance(of: id, by: number)
        }
    }

    func isDrained() async throws -> Bool {
        try await engine.read { [queues] db in
            try !queues.contains { try db.exists("SELECT 1 FROM waiting WHERE queue = ? LIMIT 1", $0) }
        }
    }

    // MARK: Settling

    func settle(_ settlements: [Settlement]) async throws -> [Receipt] {
        guard !settlements.isEmpty else { return [] }
        return try await persevering(durably: true) { [number] transaction in
            try settlements.map { try transaction.settle($0, by: number) }
        }
    }

    func report(_ statuses: [StatusRecord]) async throws {
        try await persevering(durably: false) { [number] transaction in
            guard try transaction.isHolder(number) else { return }
            for status in statuses { try transaction.store(status) }
        }
    }

    /// Changes the file, trying again for as long as the lease holds.
    private func persevering<Value: Sendable>(
        durably: Bool, _ body: @escaping @Sendable (inout Transaction) throws -> Value,
        afterwards: @escaping @Sendable (EngineLoop, Value) -> Void = { _, _ in }
    ) async throws -> Value {
        while true {
            try checkLease()
            do {
                return try await engine.write(durably: durably, body, afterwards: afterwards)
            } catch let error as BrokerError where error.isRetryable {
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }
}
