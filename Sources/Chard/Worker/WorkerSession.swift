// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Logging
import Synchronization

/// The work done under one identity: claim, run, settle, until the worker stops or the lease is in doubt.
///
/// Three loops share a ``Workbench``: the claim loop fills it, the slots work from it, the settling loop writes what they
/// came to. Each slot is a task that runs one delivery after the other, so that a tiny task costs no task of its own; a
/// slot that was cancelled together with its run is replaced. Slots are the worker's: see ``WorkerSessions``.
final class WorkerSession: Sendable {
    enum End: Sendable {
        case stopped
        case leaseLost
        case overrun(String)
        case failed(any Error)
    }

    let consumer: any Consumer
    let hold: WorkerHold
    private let observers: [any WorkerObserver]
    private let events: EventSender?
    let execution: Execution
    let broker: any Broker
    let elsewhere: (any ResultStore)?
    let historian: Historian?
    private let fileKeeper: FileKeeper?
    private let counters: Counters
    private let sessions: WorkerSessions
    let bench: Workbench
    let settler = Settler()
    let logger: Logger
    let options: WorkerOptions
    let control: any ControlExecutor
    private let end = Mutex<End?>(nil)
    /// Why the broker last refused what comes of a task.
    let refusal = Mutex<String?>(nil)
    private let slots = Mutex(Slots())

    private struct Slots {
        var count = 0
        /// How many were let go while there was nobody to hand them on to.
        var free = 0
        /// Whom to hand slots on to.
        var handOn: (@Sendable () -> Void)?
    }

    init(
        consumer: any Consumer, hold: WorkerHold, observers: [any WorkerObserver], events: EventSender? = nil,
        execution: Execution, broker: any Broker, elsewhere: (any ResultStore)?, historian: Historian?,
        fileKeeper: FileKeeper?, counters: Counters, sessions: WorkerSessions,
        options: WorkerOptions,
        control: any ControlExecutor, logger: Logger
    ) {
        self.consumer = consumer
        self.hold = hold
        self.observers = observers
        self.events = events
        self.execution = execution
        self.broker = broker
        self.elsewhere = elsewhere
        self.historian = historian
        self.fileKeeper = fileKeeper
        self.counters = counters
        self.sessions = sessions
        self.options = options
        self.control = control
        self.logger = logger
        bench = Workbench(turn: sessions.turn)
    }

    var running: [Vitals.Running] { bench.running }
    /// Whether bodies go on whose tasks are not settled.
    var hasRuns: Bool { bench.hasRuns }

    /// Works until ``finish(within:)``, ``abort()``, the loss of the lease, or an error that waiting does not mend.
    func run() async -> End {
        let guardian = Task(executorPreference: control) { [self] in
            await consumer.leaseLost()
            conclude(.leaseLost)
        }
        let drainer = options.drains ? Task(executorPreference: control) { [self] in await drain() } : nil
        async let claiming: Void = claim()
        async let settling: Void = settle()
        await bench.closed()
        consumer.wake()
        await claiming
        await windDown()
        // Bodies that do not obey count as well, where an error has ended the session.
        if hasFailed {
            for delivery in bench.abandonAll() {
                leave(execution.concluder.countingLoss(of: delivery))
            }
        }
        settler.close()
        await settling
        guardian.cancel()
        drainer?.cancel()
        await consumer.close()
        tell { $0.holdClosed(hold) }
        return end.withLock { $0 } ?? .stopped
    }

    /// Ends as if told to finish, and hands each slot on as soon as it has nothing to run.
    func retire(handingOn handOn: @escaping @Sendable () -> Void) {
        let free = slots.withLock { slots in
            slots.handOn = handOn
            return slots.free
        }
        for _ in 0..<free { handOn() }
        finish()
    }

    /// Takes no more, hands back what was not started, and ends when the runs have, or after `grace`, if there is one, without them.
    func finish(within grace: Duration? = nil) {
        Task(executorPreference: control) { [self] in await wait(within: grace) }
    }

    private func wait(within grace: Duration?) async {
        withdraw(bench.stopTaking())
        consumer.wake()
        let timer = grace.map { grace in
            Task(executorPreference: control) { [self] in
                try await control.sleep(for: grace)
                abort()
            }
        }
        await bench.empty()
        timer?.cancel()
        abort()
    }

    /// Ends now: runs are cancelled, and everything held goes back to the front of its queue.
    func abort() {
        conclude(.stopped)
    }

    /// Cancels the runs of revoked tasks.
    func terminate(_ ids: Set<String>) {
        bench.cancel(.revoked) { ids.contains($0.info.id) || $0.order.map(ids.contains) ?? false }
    }

    /// Waits a moment for the runs that were cancelled: what is handed back while its body still ends would run twice.
    private func windDown() async {
        let deadline = ContinuousClock.now + .seconds(1)
        while bench.hasRuns, .now < deadline { try? await control.sleep(for: .milliseconds(5)) }
    }

    func conclude(_ how: End) {
        let isFirst = end.withLock { end in
            defer { end = end ?? how }
            return end == nil
        }
        var reason = Cancellation.Reason.shutdown
        if case .leaseLost = how {
            reason = .leaseLost
            if isFirst { tell { $0.leaseLost(hold) } }
        }
        bench.close()
        bench.cancel(reason)
    }

    var hasFailed: Bool {
        end.withLock { end in
            if case .failed = end { true } else { false }
        }
    }

    /// Not inlined into an async function, where each observer would cost an allocation.
    @inline(never)
    func tell(_ news: (any WorkerObserver) -> Void) {
        for observer in observers { news(observer) }
        if let events, events.isOn { news(events) }
    }

    /// Tells that a run starts. Without a closure, which would copy the message for each observer.
    @inline(never)
    func tellStart(of run: TaskRun, _ delivery: Delivery) {
        for observer in observers { observer.runStarted(run.message, delivery, by: hold) }
        if let events, events.isOn { events.runStarted(run.message, delivery, by: hold) }
    }

    /// Tells what a run has come to, as ``tellStart(of:_:)`` does.
    @inline(never)
    func tellEnd(of run: TaskRun, _ outcome: Outcome, _ delivery: Delivery, after duration: Duration) {
        for observer in observers { observer.ended(outcome, of: run.message, delivery, after: duration, by: hold) }
        if let events, events.isOn { events.ended(outcome, of: run.message, delivery, after: duration, by: hold) }
    }

    var isObserved: Bool { !observers.isEmpty || events?.isOn ?? false }

    // MARK: The loops

    private func claim() async {
        while let room = await bench.room() {
            do {
                take(try await consumer.claim(upTo: room))
            } catch let error as BrokerError where error.code == .leaseLost {
                return conclude(.leaseLost)
            } catch {
                logger.error("claiming failed", metadata: ["error": "\(error)"])
                return conclude(.failed(error))
            }
        }
    }

    private func take(_ deliveries: [Delivery]) {
        guard !deliveries.isEmpty else { return }
        tell { $0.taken(deliveries, by: hold) }
        switch bench.accept(deliveries) {
        case .started: break
        case .refused: withdraw(deliveries.reversed())
        case .waiting: Task(executorPreference: control) { [self] in await handBackWhatIsStuck() }
        }
    }

    private func settle() async {
        while var batch = await settler.next() {
            var over = batch
            do {
                var receipts: [Receipt]
                if batch.arePlain {
                    receipts = try await consumer.settle(batch.map(\.settlement))
                } else {
                    (batch, receipts) = try await settleJoining(batch)
                    over = batch
                }
                if receipts.contains(where: \.isRefusal) {
                    let ends = zip(batch, receipts).filter { !$1.isRefusal || appeal($0, against: $1) }
                    (over, receipts) = (ends.map(\.0), ends.map(\.1))
                }
                settled(over, receipts)
            } catch let error as BrokerError where error.code != .leaseLost && !error.isRetryable {
                logger.error("settling failed", metadata: ["error": "\(error)"])
                conclude(.failed(error))
            } catch {
                // The messages are still in the broker, and whoever finds the lease lapsed runs them again.
                logger.warning(
                    "settlements were lost with the lease; the tasks will run again",
                    metadata: ["count": "\(batch.count)", "error": "\(error)"])
                conclude(.leaseLost)
            }
            bench.settled(over.count, bytes: over.bytes)
            sessions.recycle(done: counters.figures.done)
        }
    }

    /// Counts, remembers and tells what was settled.
    private func settled(_ ends: [Conclusion], _ receipts: [Receipt]) {
        counters.count(ends, receipts)
        remember(ends, receipts)
        if let fileKeeper {
            for (conclusion, receipt) in zip(ends, receipts) where receipt.end == .settled {
                fileKeeper.settled(conclusion.settlement, conclusion.extras.statuses)
            }
        }
        for observer in observers {
            for (place, receipt) in zip(ends.indices, receipts) {
                observer.settled(ends[place].settlement.delivery, receipt, by: hold)
            }
        }
    }

    /// A message must not wait behind a long task here while another process is idle.
    func handBackWhatIsStuck() async {
        let patience = Duration.milliseconds(500)
        while bench.isWatched {
            try? await control.sleep(for: patience)
            withdraw(bench.takeStuck(patience: patience))
            putBehind(bench.takeParked(patience: patience))
        }
    }

    private func drain() async {
        while !Task.isCancelled {
            // What a retired session still runs may send more.
            if bench.isIdle, sessions.isAlone, (try? await consumer.isDrained()) == true, bench.isIdle {
                return abort()
            }
            try? await control.sleep(for: .milliseconds(100))
        }
    }

    /// Gives deliveries back, newest first, so that the oldest comes to stand at the very front.
    private func withdraw(_ deliveries: [Delivery]) {
        guard !deliveries.isEmpty else { return }
        bench.withdrawn(deliveries.count)
        for delivery in deliveries {
            leave(Conclusion(.handingBack(delivery), as: .none))
        }
    }

    /// Gives deliveries back to the end of their queues: for others, and behind what others could run.
    private func putBehind(_ deliveries: [Delivery]) {
        bench.withdrawn(deliveries.count)
        for delivery in deliveries {
            let message = try? TaskMessage(decoding: delivery.payload, limits: .held)
            let again = OutgoingMessage(
                id: message?.id ?? "", queue: delivery.queue, priority: message?.properties.priority ?? 0,
                payload: delivery.payload)
            leave(Conclusion(Settlement(delivery, [.push(again)]), as: .none))
        }
    }

    /// Leaves an end to be written, and to be remembered.
    func leave(_ conclusion: consuming Conclusion, _ note: AttemptRecord? = nil) {
        conclusion.note = note
        bench.grew(by: conclusion.bytes)
        settler.add(conclusion)
    }

    // MARK: The slots

    /// Takes more slots in.
    func widen(by count: Int) {
        let first = slots.withLock { slots in
            defer { slots.count += count }
            return slots.count
        }
        let new = bench.widen(by: count)
        for slot in first..<first + new { startSlot(slot) }
    }

    /// Lets slots go, for good: each as soon as it has nothing to run.
    func narrow(by count: Int) {
        bench.narrow(by: count)
    }

    /// What it has in hand.
    var held: (running: [Workbench.Run], waiting: [Delivery]) { bench.held }

    /// A slot has nothing left to run.
    private func letGo() {
        let handOn = slots.withLock { slots in
            if slots.handOn == nil { slots.free += 1 }
            return slots.handOn
        }
        handOn?()
    }

    private func startSlot(_ slot: Int) {
        // Not a child task: a slot must be cancellable by itself, and a body that ignores its cancellation must not keep
        // the session from ending. On Swift's own pool: bodies must not get at the thread that looks after them.
        let task = Task(executorPreference: globalConcurrentExecutor) { [self] in
            while let delivery = await bench.next() {
                // A cancellation may be under way still, and must not hit the next run: another task takes over.
                if await work(on: delivery, in: slot) { return startSlot(slot) }
            }
            if !bench.takeDismissal() { letGo() }
        }
        bench.occupy(slot, with: task)
    }
}
