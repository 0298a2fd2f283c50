// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import DequeModule
import Dispatch
import FoundationEssentials
import Synchronization

/// What a worker session has in hand: deliveries that wait for a slot, slots that wait for a delivery, runs under way.
///
/// All the session's shared state is here, under one lock that is held for a few field changes at a time.
final class Workbench: Sendable {
    /// A run under way.
    struct Run {
        var info: Vitals.Running
        var delivery: Delivery
        var cancellation: Cancellation
        /// The order by which its workflow is called off, if it may be a part of one.
        var order: String?
        /// Settled by a time limit while its body goes on.
        var isAbandoned = false
        /// About to end: too late for a time limit.
        var isEnding = false
    }

    private struct Parked {
        var delivery: Delivery
        var since: ContinuousClock.Instant
        /// Whether it takes room from others: only so many as run at once do not, so that there is a bound to how many there are.
        var isCounted: Bool
    }

    private struct State {
        var window: DeliveryWindow
        var waiting = Deque<Delivery>()
        var idle: [CheckedContinuation<Delivery?, Never>] = []
        var runs: [Int: Run] = [:]
        var slots: [Int: Task<Void, Never>] = [:]
        var roomWaiter: CheckedContinuation<Int?, Never>?
        var emptyWaiters: [CheckedContinuation<Void, Never>] = []
        var closeWaiters: [CheckedContinuation<Void, Never>] = []
        /// Deliveries on their last chance that wait for another such to end.
        var parked: [Parked] = []
        var isTaking = true
        var isOpen = true
        var isWatched = false
        /// Slots too many: the next that have nothing to run are to end.
        var excess = 0
        /// Slots that were told to, and have not said yet that they do.
        var dismissed = 0
        var lastEnd = ContinuousClock.now
    }

    private let state: Mutex<State>
    private let turn: LastChanceTurn

    init(concurrency: Int = 0, turn: LastChanceTurn = LastChanceTurn()) {
        self.turn = turn
        state = Mutex(State(window: DeliveryWindow(concurrency: concurrency)))
    }

    /// Makes room for what more slots run. Returns how many are to be started: those that were to end stay.
    func widen(by slots: Int) -> Int {
        let (waiter, staying) = state.withLock { state in
            state.window.widen(by: slots)
            let staying = min(slots, state.excess)
            state.excess -= staying
            return (Self.takeRoomWaiter(&state), staying)
        }
        if let (waiter, room) = waiter { waiter.resume(returning: room) }
        return slots - staying
    }

    /// Lets slots end: idle ones at once, others when they have nothing to run any more.
    func narrow(by slots: Int) {
        let idle = state.withLock { state in
            state.window.widen(by: -slots)
            let idle = Array(state.idle.suffix(slots))
            state.idle.removeLast(idle.count)
            state.dismissed += idle.count
            state.excess += slots - idle.count
            return idle
        }
        for slot in idle { slot.resume(returning: nil) }
    }

    /// Whether a slot that got nothing to run any more was one too many, rather than one for others.
    func takeDismissal() -> Bool {
        state.withLock { state in
            guard state.dismissed > 0 else { return false }
            state.dismissed -= 1
            return true
        }
    }

    // MARK: The claim loop

    /// Waits until there is room, and says for how many; `nil` when no more is to be taken.
    func room() async -> Int? {
        await withCheckedContinuation { continuation in
            let answer: Int?? = state.withLock { state in
                guard state.isTaking else { return .some(nil) }
                let room = state.window.room
                if room > 0 { return room }
                state.roomWaiter = continuation
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    enum Acceptance {
        /// Every delivery went to a slot, or to others that somebody watches over.
        case started
        /// Some wait for a slot, and nobody watches over them yet.
        case waiting
        /// No more is taken: all are to be given back.
        case refused
    }

    /// Takes claimed deliveries in, and gives them to idle slots.
    func accept(_ deliveries: [Delivery]) -> Acceptance {
        var starts: [(CheckedContinuation<Delivery?, Never>, Delivery)] = []
        let acceptance: Acceptance = state.withLock { state in
            state.window.claimed(deliveries.count, bytes: deliveries.reduce(0) { $0 + $1.payload.count })
            guard state.isTaking else { return .refused }
            for delivery in deliveries {
                if let slot = state.idle.popLast() {
                    starts.append((slot, delivery))
                } else {
                    state.waiting.append(delivery)
                }
            }
            if state.isWatched || state.waiting.isEmpty { return .started }
            state.isWatched = true
            return .waiting
        }
        for (slot, delivery) in starts { slot.resume(returning: delivery) }
        return acceptance
    }

    // MARK: The slots

    /// The next delivery for a slot, waiting for one; `nil` when there will be none.
    func next() async -> Delivery? {
        if let delivery = state.withLock({ $0.excess > 0 ? nil : Self.pop(&$0) }) { return delivery }
        return await withCheckedContinuation { continuation in
            let answer: Delivery?? = state.withLock { state in
                if state.excess > 0 {
                    state.excess -= 1
                    state.dismissed += 1
                    return .some(nil)
                }
                if let delivery = Self.pop(&state) { return delivery }
                guard state.isTaking else { return .some(nil) }
                state.idle.append(continuation)
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    private static func pop(_ state: inout State) -> Delivery? {
        state.isOpen ? state.waiting.popFirst() : nil
    }

    /// Notes the task that is a slot, so that it can be cancelled with its run.
    func occupy(_ slot: Int, with task: Task<Void, Never>) {
        let isLate = state.withLock { state in
            state.slots[slot] = task
            return state.runs[slot].map { $0.cancellation.reason != nil } ?? false
        }
        // The run began, and was cancelled, before the slot's task was known here.
        if isLate { task.cancel() }
    }

    /// Notes a run. Returns whether it may start: after the end of the session nobody would cancel it.
    func began(_ slot: Int, _ run: Run) -> Bool {
        state.withLock { state in
            if state.isOpen { state.runs[slot] = run }
            return state.isOpen
        }
    }

    /// Notes that a run is about to end, so that no time limit ends it meanwhile. Returns whether none has.
    func beginsToEnd(_ slot: Int) -> Bool {
        state.withLock { state in
            // In its place, since a copy of a run is some twenty references.
            guard let place = state.runs.index(forKey: slot) else { return false }
            state.runs.values[place].isEnding = true
            return !state.runs.values[place].isAbandoned
        }
    }

    /// Notes the end of a run. Returns whether its outcome is still wanted: a time limit may have settled it before.
    func ended(_ slot: Int, after duration: Duration) -> Bool {
        let (wanted, waiter): (Bool, (CheckedContinuation<Int?, Never>, Int)?) = state.withLock { state in
            let wanted = state.runs.removeValue(forKey: slot).map { !$0.isAbandoned } ?? true
            if wanted { state.window.ended(after: duration) }
            state.lastEnd = .now
            return (wanted, Self.takeRoomWaiter(&state))
        }
        if let (waiter, room) = waiter { waiter.resume(returning: room) }
        return wanted
    }

    // MARK: Last chances

    /// Asks to run a task that was lost often, of which one starts at a time. If it may not, it is kept until its turn.
    func takeLastChance(_ delivery: Delivery) -> Bool {
        state.withLock { state in
            // Under the lock: whoever gives the turn back meanwhile must find it among those that wait.
            guard !turn.take(orElse: { [weak self] in self?.startParked() ?? false }) else { return true }
            let isCounted = state.parked.count >= state.window.concurrency
            state.parked.append(Parked(delivery: delivery, since: .now, isCounted: isCounted))
            if !isCounted { state.window.parked(1) }
            return false
        }
    }

    /// The one that ran has ended, or has run long enough to be trusted: the next one's turn.
    func leaveLastChance() {
        turn.giveBack()
    }

    /// Lets the first of those that wait for their turn ask again. Returns whether there is one.
    private func startParked() -> Bool {
        let (isStarted, slot): (Bool, (CheckedContinuation<Delivery?, Never>, Delivery)?) = state.withLock { state in
            guard state.isTaking, let next = Self.takeParked(&state, where: { _ in true }).first else {
                return (false, nil)
            }
            if let slot = state.idle.popLast() { return (true, (slot, next)) }
            state.waiting.prepend(next)
            return (true, nil)
        }
        if let (slot, delivery) = slot { slot.resume(returning: delivery) }
        return isStarted
    }

    /// Takes out the first of those that wait for their turn for which `choose` says so, or as many as `limit` says.
    private static func takeParked(
        _ state: inout State, limit: Int = 1, where choose: (Parked) -> Bool
    ) -> [Delivery] {
        let taken = state.parked.prefix(while: choose).prefix(limit)
        state.parked.removeFirst(taken.count)
        state.window.claimed(taken.count { !$0.isCounted })
        return taken.map(\.delivery)
    }

    /// Those that have waited for their turn for `patience`: they should not wait here while others are idle, nor keep what is
    /// behind them from the slots.
    func takeParked(patience: Duration) -> [Delivery] {
        state.withLock { state in
            let now = ContinuousClock.now
            return Self.takeParked(&state, limit: .max) { now - $0.since >= patience }
        }
    }

    /// Begins to watch over what waits. Returns whether nobody does yet.
    func watch() -> Bool {
        state.withLock { state in
            defer { state.isWatched = true }
            return !state.isWatched
        }
    }

    /// Gives a run up: it counts as ended although its body goes on. Returns whether it had not ended before.
    func abandon(_ cancellation: Cancellation) -> Bool {
        state.withLock { state in
            guard let (slot, run) = state.runs.first(where: { $0.value.cancellation === cancellation }),
                !run.isAbandoned, !run.isEnding
            else { return false }
            state.runs[slot]?.isAbandoned = true
            state.window.withdrawn(1)
            return true
        }
    }

    /// Gives all runs up. Returns what they ran.
    func abandonAll() -> [Delivery] {
        state.withLock { state in
            let slots = state.runs.filter { !$0.value.isAbandoned && !$0.value.isEnding }.keys
            for slot in slots { state.runs[slot]?.isAbandoned = true }
            state.window.withdrawn(slots.count)
            return slots.compactMap { state.runs[$0]?.delivery }
        }
    }

    /// Whether the body of a run has not ended yet.
    func isRunning(_ cancellation: Cancellation) -> Bool {
        state.withLock { $0.runs.values.contains { $0.cancellation === cancellation } }
    }

    /// Cancels runs: those for which `choose` says so.
    func cancel(_ reason: Cancellation.Reason, where choose: (Run) -> Bool = { _ in true }) {
        let tasks = state.withLock { state in
            state.runs.filter { choose($0.value) && $0.value.cancellation.cancel(reason) }
                .compactMap { state.slots[$0.key] }
        }
        guard !tasks.isEmpty else { return }
        // What a body does when it is cancelled runs here and now, and may take its time.
        Self.cancellations.async { for task in tasks { task.cancel() } }
    }

    private static let cancellations = DispatchQueue(label: "chard.cancel", attributes: .concurrent)

    /// Takes out what waits for a slot, newest first.
    private static func takeAllReversed(_ state: inout State) -> [Delivery] {
        defer { state.waiting = [] }
        return state.waiting.reversed()
    }

    // MARK: The end of deliveries

    /// Notes what an end adds to what is held until it is written.
    func grew(by bytes: Int) {
        state.withLock { $0.window.grew(by: bytes) }
    }

    func settled(_ count: Int, bytes: Int = 0) {
        let (waiter, done) = state.withLock { state in
            state.window.settled(count, bytes: bytes)
            return (Self.takeRoomWaiter(&state), Self.takeEmptyWaiters(&state))
        }
        if let (waiter, room) = waiter { waiter.resume(returning: room) }
        for waiter in done { waiter.resume() }
    }

    private static func takeRoomWaiter(_ state: inout State) -> (CheckedContinuation<Int?, Never>, Int)? {
        guard let waiter = state.roomWaiter else { return nil }
        let room = state.window.room
        guard room > 0 else { return nil }
        state.roomWaiter = nil
        return (waiter, room)
    }

    private static func takeEmptyWaiters(_ state: inout State) -> [CheckedContinuation<Void, Never>] {
        guard state.window.held == 0 else { return [] }
        defer { state.emptyWaiters = [] }
        return state.emptyWaiters
    }

    // MARK: Stopping

    /// Takes no more: the claim loop ends, idle slots are let go, and what waits for one is taken out, newest first, to be
    /// given back.
    func stopTaking() -> [Delivery] {
        let (waiter, idle, rest) = state.withLock { state in
            state.isTaking = false
            defer {
                state.roomWaiter = nil
                state.idle = []
            }
            let parked = Self.takeParked(&state, limit: .max) { _ in true }
            return (state.roomWaiter, state.idle, parked.reversed() + Self.takeAllReversed(&state))
        }
        waiter?.resume(returning: nil)
        for slot in idle { slot.resume(returning: nil) }
        return rest
    }

    /// What waits behind runs none of which has ended for `patience`: it should not wait here while others are idle.
    func takeStuck(patience: Duration) -> [Delivery] {
        state.withLock { state in
            guard state.isOpen, !state.waiting.isEmpty || !state.parked.isEmpty else {
                state.isWatched = false
                return []
            }
            guard state.idle.isEmpty, .now - state.lastEnd > patience else { return [] }
            // Else the claim loop would take at once what is given back here.
            state.window.stalled(for: patience)
            return Self.takeAllReversed(&state)
        }
    }

    /// Deliveries taken out unstarted count as ended, their return being what is left to settle.
    func withdrawn(_ count: Int) {
        state.withLock { $0.window.withdrawn(count) }
    }

    /// Waits until nothing is held any more.
    func empty() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if state.window.held == 0 || !state.isOpen { return true }
                state.emptyWaiters.append(continuation)
                return false
            }
            if isEmpty { continuation.resume() }
        }
    }

    /// Waits until ``close()``.
    func closed() async {
        await withCheckedContinuation { continuation in
            let isClosed = state.withLock { state in
                if state.isOpen { state.closeWaiters.append(continuation) }
                return !state.isOpen
            }
            if isClosed { continuation.resume() }
        }
    }

    /// Ends the session: slots and waiters are let go.
    func close() {
        let (idle, room, others) = state.withLock { state in
            state.isOpen = false
            state.isTaking = false
            defer {
                state.idle = []
                state.roomWaiter = nil
                state.emptyWaiters = []
                state.closeWaiters = []
            }
            return (state.idle, state.roomWaiter, state.emptyWaiters + state.closeWaiters)
        }
        for slot in idle { slot.resume(returning: nil) }
        room?.resume(returning: nil)
        for waiter in others { waiter.resume() }
    }

    /// How many run, how many are in hand, and how many may be.
    var figures: (running: Int, held: Int, window: Int) {
        state.withLock { ($0.runs.values.count { !$0.isAbandoned }, $0.window.held, $0.window.size) }
    }
    var hasRuns: Bool { state.withLock { $0.runs.values.contains { !$0.isAbandoned } } }
    var isIdle: Bool { state.withLock { $0.window.held == 0 } }
    var idleSlots: Int { state.withLock { $0.idle.count } }
    var isWatched: Bool { state.withLock { $0.isWatched } }
    var isOpen: Bool { state.withLock { $0.isOpen } }
    /// Whether more is taken.
    var isTaking: Bool { state.withLock { $0.isTaking } }
    /// What it has in hand: what runs, oldest first, and what waits for a slot or for its turn.
    var held: (running: [Run], waiting: [Delivery]) {
        state.withLock { state in
            let running = state.runs.values.filter { !$0.isAbandoned }.sorted { $0.info.since < $1.info.since }
            return (running, Array(state.waiting) + state.parked.map(\.delivery))
        }
    }
    var running: [Vitals.Running] { state.withLock { $0.runs.values.map(\.info).sorted { $0.since < $1.since } } }
}

extension Workbench.Run {
    init(_ run: TaskRun, _ delivery: Delivery, since start: Date) {
        self.init(
            info: Vitals.Running(
                id: run.message.id, task: run.message.shadow ?? run.message.task, since: start.timeIntervalSince1970),
            delivery: delivery, cancellation: run.cancellation, order: run.message.workflowOrder)
    }
}
