// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A worker's sessions: the one that takes work, and those that are retired because its queues have changed.
///
/// Queues change by a change of sessions, since a hold's queues are fixed: a new hold with the new queues is opened first, then
/// the old session is retired. It claims no more, hands back what it has not started, and settles what it runs under the lease
/// by which that was claimed, however long it takes; nothing is lost, run twice or counted. Its slots move to the new session
/// one by one, each as soon as it has nothing to run. So a long task keeps nothing but its own slot from the new queues, and
/// there are never more runs than slots.
final class WorkerSessions: Sendable {
    enum Event: Sendable {
        case queuesChanged
        /// A session has ended; it may have left bodies that ignore their cancellation.
        case ended(Int, WorkerSession.End, hasRuns: Bool)
    }

    enum Order: Sendable {
        case finish(within: Duration?)
        case abort
    }

    private struct Current {
        let number: Int
        let session: WorkerSession
        let queues: [String]
        var slots = 0
    }

    private struct State {
        var queues: [String]
        var current: Current?
        var retired: [Int: WorkerSession] = [:]
        /// Slots that no session has now.
        var freeSlots: Int
        /// How many slots there are to be in all.
        var concurrency: Int
        /// How many slots of retired sessions are not to be handed on.
        var surplus = 0
        var order: Order?
        var count = 0
        var events: [Event] = []
        var waiter: CheckedContinuation<Event, Never>?

        var all: [WorkerSession] { retired.values + (current.map { [$0.session] } ?? []) }
    }

    /// The turn of tasks on their last chance, which start one at a time in a process.
    let turn = LastChanceTurn()
    private let recycling: Recycling
    private let state: Mutex<State>

    init(_ options: WorkerOptions, queues: [String]) {
        recycling = Recycling(options)
        state = Mutex(State(queues: queues, freeSlots: options.concurrency, concurrency: options.concurrency))
    }

    // MARK: What runs

    /// What all sessions run, oldest first.
    var running: [Vitals.Running] {
        let sessions = state.withLock { $0.all }
        return sessions.count == 1 ? sessions[0].running : sessions.flatMap(\.running).sorted { $0.since < $1.since }
    }

    /// What one session runs, oldest first.
    func running(in number: Int) -> [Vitals.Running] {
        let session = state.withLock { state in
            state.current?.number == number ? state.current?.session : state.retired[number]
        }
        return session?.running ?? []
    }

    /// Cancels the runs of revoked tasks.
    func terminate(_ ids: Set<String>) {
        for session in state.withLock({ $0.all }) { session.terminate(ids) }
    }

    // MARK: Change of sessions

    /// The number of the next session.
    func nextNumber() -> Int {
        state.withLock { state in
            state.count += 1
            return state.count
        }
    }

    /// Lets a session take work in place of the present one, which is retired.
    func begin(_ session: WorkerSession, number: Int, queues: [String]) {
        let (slots, old, order) = state.withLock { state in
            let (slots, old) = (state.freeSlots, state.current)
            state.freeSlots = 0
            state.current = Current(number: number, session: session, queues: queues, slots: slots)
            if let old { state.retired[old.number] = old.session }
            return (slots, old?.session, state.order)
        }
        session.widen(by: slots)
        if let order { apply(order, to: session) }
        old?.retire { [weak self] in self?.handOn() }
    }

    /// A retired session's slot has nothing left to run.
    private func handOn() {
        let session: WorkerSession? = state.withLock { state in
            if state.surplus > 0 {
                state.surplus -= 1
                return nil
            }
            state.current?.slots += 1
            if state.current == nil { state.freeSlots += 1 }
            return state.current?.session
        }
        session?.widen(by: 1)
    }

    /// Notes a session's end. Returns whether it was the one that takes work.
    func ended(_ number: Int) -> Bool {
        state.withLock { state in
            guard let current = state.current, current.number == number else {
                state.retired[number] = nil
                return false
            }
            // Bodies that ignore the loss of their lease are not waited for.
            state.freeSlots += current.slots
            state.current = nil
            return true
        }
    }

    /// Whether all sessions have ended.
    var isEmpty: Bool { state.withLock { $0.current == nil && $0.retired.isEmpty } }
    /// Whether no retired session runs anything any more.
    var isAlone: Bool { state.withLock { $0.retired.isEmpty } }

    // MARK: Slots

    /// How many tasks run at once.
    var concurrency: Int { state.withLock { $0.concurrency } }

    /// Runs so many at once from now on. What runs goes on to its end.
    func resize(to concurrency: Int) {
        let (session, growth): (WorkerSession?, Int) = state.withLock { state in
            var growth = concurrency - state.concurrency
            state.concurrency = concurrency
            // What retired sessions still run hands on more, or fewer, slots.
            let kept = min(max(0, growth), state.surplus)
            state.surplus -= kept
            growth -= kept
            guard state.current != nil else {
                let free = state.freeSlots + growth
                state.freeSlots = max(0, free)
                state.surplus += max(0, -free)
                return (nil, 0)
            }
            let slots = state.current?.slots ?? 0
            state.surplus += max(0, -(slots + growth))
            growth = max(-slots, growth)
            state.current?.slots += growth
            return (state.current?.session, growth)
        }
        if growth > 0 { session?.widen(by: growth) } else { session?.narrow(by: -growth) }
    }

    /// The sessions, the one that takes work, and how many tasks run at once.
    var snapshot: (sessions: [WorkerSession], current: WorkerSession?, concurrency: Int) {
        state.withLock { ($0.all, $0.current?.session, $0.concurrency) }
    }

    /// What all sessions have in hand.
    var held: (running: [Workbench.Run], waiting: [Delivery]) {
        let all = state.withLock { $0.all }.map(\.held)
        return (all.flatMap(\.running), all.flatMap(\.waiting))
    }

    // MARK: Queues

    /// The queues that are to be served.
    var queues: [String] { state.withLock { $0.queues } }
    /// Whether those are not the ones that are served.
    var areQueuesOutdated: Bool {
        state.withLock { state in state.current.map { $0.queues != state.queues } ?? false }
    }

    func changeQueues(_ change: (inout [String]) -> Void) throws(AppError) {
        let (problem, isNews) = state.withLock { state -> (String?, Bool) in
            var queues = state.queues
            change(&queues)
            if let problem = WorkerOptions.problem(of: queues) { return (problem, false) }
            defer { state.queues = queues }
            return (nil, queues != state.queues)
        }
        if let problem { throw AppError(problem) }
        if isNews { post(.queuesChanged) }
    }

    /// Stays with the queues that are served, the others being not to be had.
    func keepQueues() {
        state.withLock { state in
            if let current = state.current { state.queues = current.queues }
        }
    }

    // MARK: The end

    /// Whether the sessions were told to end.
    var isEnding: Bool { state.withLock { $0.order != nil } }

    /// Tells all sessions, and those that are to come, to end. A harder word replaces a softer one.
    func order(_ order: Order) {
        let sessions = state.withLock { state in
            if case .abort = state.order {} else { state.order = order }
            return state.all
        }
        for session in sessions { apply(order, to: session) }
    }

    private func apply(_ order: Order, to session: WorkerSession) {
        switch order {
        case .abort: session.abort()
        case .finish(let grace): session.finish(within: grace)
        }
    }

    /// Ends the sessions, once, when the process has done enough or grown too large.
    func recycle(done: Int) {
        if recycling.isDue(done: done), !isEnding { order(.finish(within: nil)) }
    }

    // MARK: Events

    func post(_ event: Event) {
        let waiter = state.withLock { state in
            defer { state.waiter = nil }
            if state.waiter == nil { state.events.append(event) }
            return state.waiter
        }
        waiter?.resume(returning: event)
    }

    /// What happened next, also in a task that was cancelled. For one caller.
    func next() async -> Event {
        await withCheckedContinuation { continuation in
            let event: Event? = state.withLock { state in
                if !state.events.isEmpty { return state.events.removeFirst() }
                state.waiter = continuation
                return nil
            }
            if let event { continuation.resume(returning: event) }
        }
    }
}
