// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Dispatch
import Synchronization

/// A consumer's hold on the file, as the engine's thread keeps it up: its row in `holder` is the lease of all that it holds.
///
/// Heartbeats and news come on the engine's thread. Whether the lease still holds is watched from another one, which
/// neither a task nor a disk that stands still can block.
final class Hold: Sendable {
    let identity: String
    let number: Int64
    /// Fired when a claim that waits is to look again.
    let signal = Signal()

    private struct State {
        var lease: Lease
        var orders: KnownOrders
        /// Whether a claim may find something: it did the last time, or there was news since.
        var mayHaveWork = true
    }

    private let subscription: Subscription
    private let lock: HolderLock?
    private let state: Mutex<State>
    private let over = Signal()
    private let leaseQueue = DispatchQueue(label: "chard.sqlite.lease")

    init(
        _ identity: String, _ number: Int64, _ subscription: Subscription, _ lock: HolderLock?, _ clock: LeaseClock,
        _ orders: KnownOrders
    ) {
        self.identity = identity
        self.number = number
        self.subscription = subscription
        self.lock = lock
        state = Mutex(State(lease: Lease(clock), orders: orders))
    }

    var queues: [String] { subscription.queues }

    // MARK: The lease

    /// Ends the hold as soon as its lease has not been renewed in time.
    func watchLease() {
        let left = state.withLock { $0.lease.isOver ? nil : $0.lease.clock.endsAt - .now }
        guard let left else { return }
        guard left > .zero else { return end() }
        leaseQueue.asyncAfter(deadline: .now() + left.seconds) { [weak self] in self?.watchLease() }
    }

    /// Throws where nothing may be claimed or settled any more.
    func check() throws {
        guard let trouble = state.withLock({ $0.lease.trouble(at: .now, of: identity) }) else { return }
        end()
        throw trouble
    }

    /// The next heartbeat, as part of the transaction that is about to be written; `nil` if the hold is over.
    func beat(at now: ContinuousClock.Instant) -> Job? {
        guard (try? check()) != nil else { return nil }
        let vitals = subscription.vitals().text
        return Job(isDurable: false) { [number] transaction in
            let isHolder = try transaction.beat(number, vitals: vitals)
            return { [weak self] loop in
                guard let self else { return }
                guard isHolder else { return end() }
                state.withLock { $0.lease.renewed(sentAt: now) }
                loop.hasBeaten(number, at: now)
            }
        } fail: { _ in
            // Tried again soon; where that goes on for too long, the lease is over.
        }
    }

    /// Marks the identity as over, when the lease is in doubt. Nothing is handed back before the consumer's holder has seen to
    /// what it runs, and closes; should this process end before, the others find it.
    func end() {
        guard state.withLock({ $0.lease.end() }) else { return }
        over.fire()
        signal.fire()
    }

    /// Ends it for good. Returns whether there is something to hand back, by whoever asks first.
    @discardableResult
    func close() -> Bool {
        end()
        return state.withLock { $0.lease.close() }
    }

    /// Lets the others see that nobody is here any more.
    func unlock() {
        lock?.release()
    }

    /// Returns once the hold is over.
    func ended() async {
        await over.wait()
        over.fire()
    }

    // MARK: News

    var orders: KnownOrders { state.withLock { $0.orders } }

    /// Whether it waits for news of work.
    var isIdle: Bool { state.withLock { !$0.mayHaveWork } }

    /// A claim has found all there was. To be called on the engine's thread, where news of work comes from: what is told
    /// later is newer than this.
    func foundAll() {
        state.withLock { $0.mayHaveWork = false }
    }

    /// There may be work in some queues.
    func hear(of work: Set<String>) {
        guard queues.contains(where: work.contains) else { return }
        state.withLock { $0.mayHaveWork = true }
        signal.fire()
    }

    /// The orders have changed, by which some runs are to be cancelled.
    func learn(_ orders: KnownOrders, terminated: Set<String>) {
        state.withLock { state in
            state.orders = orders
            state.mayHaveWork = true
        }
        signal.fire()
        if !terminated.isEmpty { subscription.onTerminate(terminated) }
    }

    func isRevoked(_ id: String) -> Bool {
        state.withLock { $0.orders.revoked.contains(id) }
    }

    var statusLifetimes: StatusLifetimes { subscription.statusLifetimes }

    /// Takes the statuses of lost tasks that were put aside.
    func tellBuried(_ statuses: [StatusRecord]) { subscription.onBuried(statuses) }
}
