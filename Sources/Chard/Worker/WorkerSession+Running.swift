// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// How one delivery is run: from what its message says up to the end that is left to be settled.
extension WorkerSession {
    /// Returns whether the run was cancelled.
    ///
    /// What goes before and after the body are functions of their own that do not wait: an async function copies a message for
    /// each of its parts that it looks at, and pays for each large local at every call.
    func work(on delivery: Delivery, in slot: Int) async -> Bool {
        let start = ContinuousClock.now
        guard var run = prepare(delivery, in: slot, since: start) else { return false }
        let isLastChance = run.message.losses >= Recovery.lastChance
        if isLastChance { guard await takeLastChance(run, delivery) else { return false } }
        let trial = isLastChance ? LastChance(bench, on: control) : nil
        defer { trial?.end() }
        let span = execution.isTraced ? RunSpan(of: &run) : nil
        guard begins(run, delivery, in: slot) else {
            span?.end(.returned)
            return false
        }
        let limiter = limit(run, delivery)
        defer { limiter?.cancel() }
        let outcome = await execution.run(run)
        span?.end(outcome)
        return endRun(run, outcome, delivery, in: slot, after: ContinuousClock.now - start)
    }

    /// What is to be run; `nil` where that was decided without.
    @inline(never)
    private func prepare(_ delivery: Delivery, in slot: Int, since start: ContinuousClock.Instant) -> TaskRun? {
        switch execution.prepare(delivery) {
        case .decided(let outcome, let message, let task, let embed):
            endWithoutRun(outcome, of: message, embed, task, delivery, in: slot, after: ContinuousClock.now - start)
            return nil
        case .ready(let run):
            guard let wait = execution.rates.wait(run) else { return run }
            putOff(run, delivery, in: slot, for: wait, since: start)
            return nil
        }
    }

    /// Returns whether a task that was lost often may run now. If not, it is kept until its turn.
    private func takeLastChance(_ run: TaskRun, _ delivery: Delivery) async -> Bool {
        guard bench.takeLastChance(delivery) else {
            if bench.watch() { Task(executorPreference: control) { [self] in await handBackWhatIsStuck() } }
            return false
        }
        try? await consumer.noteLastChance(of: run.message.id)
        return true
    }

    /// Notes and tells that a run begins. Returns whether it may.
    @inline(never)
    private func begins(_ run: TaskRun, _ delivery: Delivery, in slot: Int) -> Bool {
        guard bench.began(slot, Workbench.Run(run, delivery, since: execution.settings.now())) else { return false }
        run.task.runs.add()
        tellStart(of: run, delivery)
        return true
    }

    /// Ends what was decided without running it.
    private func endWithoutRun(
        _ outcome: Outcome, of message: TaskMessage?, _ embed: Embed?, _ task: RegisteredTask?, _ delivery: Delivery,
        in slot: Int, after duration: Duration
    ) {
        tell { $0.ended(outcome, of: message, delivery, after: duration, by: hold) }
        _ = bench.ended(slot, after: duration)
        leave(
            execution.concluder.conclude(outcome, of: message, embed: embed, task: task, delivery: delivery),
            note(outcome, of: message, delivery))
    }

    /// Ends a run. Returns whether it was cancelled.
    ///
    /// Apart from the async function that runs it: there each large local costs an allocation at every call, needed or not.
    @inline(never)
    private func endRun(
        _ run: TaskRun, _ outcome: Outcome, _ delivery: Delivery, in slot: Int, after duration: Duration
    ) -> Bool {
        // First, for the session may be over as soon as no run is left.
        if isObserved, bench.beginsToEnd(slot) {
            tellEnd(of: run, outcome, delivery, after: duration)
        }
        // What an end in an error has cut short counts, or a task that brings it about would run again for ever. First, too.
        if case .returned = outcome, hasFailed, bench.beginsToEnd(slot) {
            leave(execution.concluder.countingLoss(of: delivery))
        }
        guard bench.ended(slot, after: duration) else { return true }
        if case .returned = outcome {
            // What the session's end cut short is handed back with all the rest, in order.
            if let note = note(outcome, of: run, delivery, after: duration) {
                historian?.add([note])
            }
            return true
        }
        leave(
            execution.concluder.conclude(outcome, of: run, delivery: delivery),
            note(outcome, of: run, delivery, after: duration))
        return run.cancellation.reason != nil
    }

    /// A task over its rate goes back to the broker until its turn, and leaves its slot to others.
    private func putOff(
        _ run: TaskRun, _ delivery: Delivery, in slot: Int, for wait: Duration, since start: ContinuousClock.Instant
    ) {
        var message = run.message
        message.headers[RateLimit.waitedHeader] = true
        let outcome = Outcome.rateLimited(until: execution.brokerTime().addingTimeInterval(wait.seconds))
        let duration = ContinuousClock.now - start
        tell { $0.ended(outcome, of: message, delivery, after: duration, by: hold) }
        _ = bench.ended(slot, after: duration)
        leave(
            execution.concluder.conclude(
                outcome, of: message, embed: run.body.embed, task: run.task, delivery: delivery))
    }

    /// Watches over a run that has limits. The soft one cancels it; the hard one settles it without waiting for its end,
    /// which in a single process is all that can be done to a body that ignores its cancellation.
    @inline(never)
    private func limit(_ run: TaskRun, _ delivery: Delivery) -> Task<Void, any Error>? {
        let limits = execution.limits(of: run.message, run.task)
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
                let failure = Outcome.failure(.timeLimitExceeded(limits), keptAs: nil)
                tellEnd(of: run, failure, delivery, after: hard)
                leave(
                    execution.concluder.conclude(
                        failure, of: run.message, embed: run.body.embed, task: run.task, delivery: delivery),
                    note(failure, of: run, delivery, after: hard))
                bench.cancel(.timeLimit) { $0.cancellation === run.cancellation }
                guard options.onOverrun != nil else { return }
                try await control.sleep(for: .seconds(1))
                guard bench.isRunning(run.cancellation) else { return }
                conclude(
                    .overrun(
                        "task \(run.message.task)[\(run.message.id)] goes on after its hard time limit of \(hard); "
                            + "this process ends, so that it does"))
            }
        }
    }
}
