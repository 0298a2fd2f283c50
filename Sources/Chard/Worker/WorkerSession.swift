// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Logging
import Synchronization

/// The work done under one identity: claim, run, settle, until the worker stops or the lease is in doubt.
///
/// Three loops share a ``Workbench``: the claim loop fills it, the slots work from it, the settling loop writes what they
/// came to. Each slot is a task that runs one delivery after the other, so that a tiny task costs no task of its own; a
/// slot that was cancelled together with its run is replaced.
final class WorkerSession: Sendable {
    enum End: Sendable {
        case stopped
        case leaseLost
        case overrun(String)
        case failed(any Error)
    }

    private let consumer: any Consumer
    private let execution: Execution
    private let elsewhere: (any ResultStore)?
    private let counters: Counters
    private let bench: Workbench
    private let settler = Settler()
    private let logger: Logger
    private let options: WorkerOptions
    private let recycling: Recycling
    private let control: any ControlExecutor
    private let end = Mutex<End?>(nil)

    init(
        consumer: any Consumer, execution: Execution, elsewhere: (any ResultStore)?, counters: Counters,
        options: WorkerOptions, control: any ControlExecutor, logger: Logger
    ) {
        self.consumer = consumer
        self.execution = execution
        self.elsewhere = elsewhere
        self.counters = counters
        self.options = options
        recycling = Recycling(options)
        self.control = control
        self.logger = logger
        bench = Workbench(concurrency: options.concurrency)
    }

    var running: [Vitals.Running] { bench.running }
    /// Whether bodies go on whose tasks are not settled.
    var hasRuns: Bool { bench.hasRuns }

    /// Works until ``finish(within:)``, ``abort()``, the loss of the lease, or an error that waiting does not mend.
    func run() async -> End {
        for slot in 0..<options.concurrency { startSlot(slot) }
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
        settler.close()
        await settling
        guardian.cancel()
        drainer?.cancel()
        await consumer.close()
        return end.withLock { $0 } ?? .stopped
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
        bench.cancel(.revoked) { ids.contains($0.info.id) }
    }

    /// Waits a moment for the runs that were cancelled: what is handed back while its body still ends would run twice.
    private func windDown() async {
        let deadline = ContinuousClock.now + .seconds(1)
        while bench.hasRuns, .now < deadline { try? await control.sleep(for: .milliseconds(5)) }
    }

    private func conclude(_ how: End) {
        end.withLock { $0 = $0 ?? how }
        let reason: Cancellation.Reason = if case .leaseLost = how { .leaseLost } else { .shutdown }
        bench.close()
        bench.cancel(reason)
    }

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
        switch bench.accept(deliveries) {
        case .started: break
        case .refused: withdraw(deliveries.reversed())
        case .waiting: Task(executorPreference: control) { [self] in await handBackWhatIsStuck() }
        }
    }

    private func settle() async {
        while let batch = await settler.next() {
            do {
                try await storeElsewhere(batch)
                let receipts = try await consumer.settle(batch.map(\.settlement))
                counters.count(batch, receipts)
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
            bench.settled(
                batch.count, bytes: batch.reduce(0) { $0 + $1.settlement.delivery.payload.count + $1.bytes })
            if recycling.isDue(done: counters.figures.done) {
                finish()
            }
        }
    }

    /// With results on another server the result is written first: a crash between the two runs the task again.
    private func storeElsewhere(_ batch: [Conclusion]) async throws {
        guard let elsewhere else { return }
        let statuses = batch.compactMap(\.elsewhere)
        guard !statuses.isEmpty else { return }
        while true {
            do {
                // A store that somebody else wrote may block its thread.
                let executor: any TaskExecutor =
                    elsewhere is any ThreadLendingBroker ? control : globalConcurrentExecutor
                return try await withTaskExecutorPreference(executor) { try await elsewhere.store(statuses) }
            } catch let error as BrokerError where error.isRetryable && bench.isOpen {
                logger.warning("results cannot be stored; trying again", metadata: ["error": "\(error)"])
                try await control.sleep(for: .milliseconds(500))
            }
        }
    }

    /// A message must not wait behind a long task here while another process is idle.
    private func handBackWhatIsStuck() async {
        let patience = Duration.milliseconds(500)
        while bench.isWatched {
            try? await control.sleep(for: patience)
            withdraw(bench.takeStuck(patience: patience))
        }
    }

    private func drain() async {
        while !Task.isCancelled {
            if bench.isIdle, (try? await consumer.isDrained()) == true, bench.isIdle { return abort() }
            try? await control.sleep(for: .milliseconds(100))
        }
    }

    /// Gives deliveries back, newest first, so that the oldest comes to stand at the very front.
    private func withdraw(_ deliveries: [Delivery]) {
        guard !deliveries.isEmpty else { return }
        bench.withdrawn(deliveries.count)
        for delivery in deliveries {
            leave(Conclusion(settlement: Settlement(delivery, .returned), failed: false, isDone: false))
        }
    }

    /// Leaves an end to be written.
    private func leave(_ conclusion: Conclusion) {
        bench.grew(by: conclusion.bytes)
        settler.add(conclusion)
    }

    // MARK: The slots

    private func startSlot(_ slot: Int) {
        // Not a child task: a slot must be cancellable by itself, and a body that ignores its cancellation must not keep
        // the session from ending. On Swift's own pool: bodies must not get at the thread that looks after them.
        let task = Task(executorPreference: globalConcurrentExecutor) { [self] in
            while let delivery = await bench.next() {
                // A cancellation may be under way still, and must not hit the next run: another task takes over.
                if await work(on: delivery, in: slot) { return startSlot(slot) }
            }
        }
        bench.occupy(slot, with: task)
    }

    /// Returns whether the run was cancelled.
    private func work(on delivery: Delivery, in slot: Int) async -> Bool {
        let start = ContinuousClock.now
        let outcome: Outcome
        switch execution.prepare(delivery) {
        case .decided(let outcome, let message, let task):
            _ = bench.ended(slot, after: .now - start)
            leave(execution.concluder.conclude(outcome, of: message, task: task, delivery: delivery))
            return false
        case .ready(let task, let message, let body):
            let isLastChance = message.losses >= Recovery.lastChance
            if isLastChance {
                guard bench.takeLastChance(delivery) else { return false }
                try? await consumer.noteLastChance(of: message.id)
            }
            let trial = isLastChance ? LastChance(bench, on: control) : nil
            defer { trial?.end() }
            let run = Workbench.Run(
                info: Vitals.Running(
                    id: message.id, task: message.task, since: execution.settings.now().timeIntervalSince1970),
                delivery: delivery, cancellation: Cancellation())
            guard bench.began(slot, run) else { return false }
            let limiter = limit(run, message, task)
            defer { limiter?.cancel() }
            outcome = await execution.run(task, message, body, delivery: delivery, cancellation: run.cancellation)
            guard bench.ended(slot, after: .now - start) else { return true }
            // What the session's end cut short is handed back with all the rest, in order.
            if case .returned = outcome { return true }
            leave(execution.concluder.conclude(outcome, of: message, task: task, delivery: delivery))
            return run.cancellation.reason != nil
        }
    }

    /// Watches over a run that has limits. The soft one cancels it; the hard one settles it without waiting for its end,
    /// which in a single process is all that can be done to a body that ignores its cancellation.
    private func limit(_ run: Workbench.Run, _ message: TaskMessage, _ task: RegisteredTask) -> Task<Void, any Error>? {
        let limits = RunLimits(message, task)
        guard limits.soft != nil || limits.hard != nil else { return nil }
        let start = ContinuousClock.now
        return Task(executorPreference: control) { [self] in
            if let soft = limits.soft {
                try await control.sleep(until: start + soft)
                bench.cancel(.softTimeLimit) { $0.cancellation === run.cancellation }
            }
            if let hard = limits.hard {
                try await control.sleep(until: start + hard)
                guard bench.abandon(run.cancellation) else { return }
                let failure = Outcome.failure(.timeLimitExceeded(message, task), keptAs: nil)
                leave(execution.concluder.conclude(failure, of: message, task: task, delivery: run.delivery))
                bench.cancel(.timeLimit) { $0.cancellation === run.cancellation }
                guard options.onOverrun != nil else { return }
                try await control.sleep(for: .seconds(1))
                guard bench.isRunning(run.cancellation) else { return }
                conclude(
                    .overrun(
                        "task \(message.task)[\(message.id)] goes on after its hard time limit of \(hard); "
                            + "this process ends, so that it does"))
            }
        }
    }
}
