// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization

/// A thread of a worker's own, for brokers that lend none.
///
/// Bodies run on Swift's pool, which has one thread for each core: as many bodies that compute without pause would stop
/// everything else that runs there. What runs here they cannot stop.
final class ControlThread: ControlExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var sleepers: [Int: (due: ContinuousClock.Instant, continuation: CheckedContinuation<Void, any Error>)] = [:]
        /// No sleeper is due before this.
        var nextDue: ContinuousClock.Instant?
        var count = 0
        var isStopped = false
    }

    private let state = Mutex(State())
    private let ready = DispatchSemaphore(value: 0)

    init() {
        // A serial queue has a thread of its own for as long as this loop runs.
        DispatchQueue(label: "chard.control").async { self.work() }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isFirst: Bool? = state.withLock { state in
            if state.isStopped { return nil }
            state.jobs.append(job)
            return state.jobs.count == 1
        }
        guard let isFirst else {
            // A timer's last breath, after the worker has ended.
            return DispatchQueue.global().async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        }
        if isFirst { ready.signal() }
    }

    /// Lets the thread go once nothing is left to run. Whoever sleeps is woken with a `CancellationError`.
    func stop() {
        let sleepers = state.withLock { state in
            state.isStopped = true
            defer { state.sleepers = [:] }
            return state.sleepers.values
        }
        for sleeper in sleepers { sleeper.continuation.resume(throwing: CancellationError()) }
        ready.signal()
    }

    private func work() {
        let executor = asUnownedTaskExecutor()
        while true {
            wait()
            while true {
                wakeSleepers()
                let jobs = state.withLock { state in
                    defer { state.jobs = [] }
                    return state.jobs
                }
                if jobs.isEmpty { break }
                for job in jobs { job.runSynchronously(on: executor) }
            }
            if state.withLock({ $0.isStopped && $0.jobs.isEmpty }) { return }
        }
    }

    private func wait() {
        guard let due = state.withLock({ $0.nextDue }) else { return ready.wait() }
        _ = ready.wait(timeout: .now() + max(0, (due - .now).seconds))
    }

    // MARK: Sleeping

    func sleep(until due: ContinuousClock.Instant) async throws {
        let number = state.withLock { state in
            state.count += 1
            return state.count
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (isStopped, isNext) = state.withLock { state in
                    if state.isStopped { return (true, false) }
                    state.sleepers[number] = (due, continuation)
                    let isNext = state.nextDue.map { due < $0 } ?? true
                    if isNext { state.nextDue = due }
                    return (false, isNext)
                }
                if isStopped { return continuation.resume(throwing: CancellationError()) }
                if isNext { ready.signal() }
                // It may have been cancelled before it was among the sleepers.
                if Task.isCancelled { cancelSleep(number) }
            }
        } onCancel: {
            cancelSleep(number)
        }
    }

    private func cancelSleep(_ number: Int) {
        let sleeper = state.withLock { $0.sleepers.removeValue(forKey: number) }
        sleeper?.continuation.resume(throwing: CancellationError())
    }

    private func wakeSleepers() {
        let due = state.withLock { state -> [CheckedContinuation<Void, any Error>] in
            guard let nextDue = state.nextDue, case let now = ContinuousClock.now, nextDue <= now else { return [] }
            let due = state.sleepers.filter { $0.value.due <= now }
            for number in due.keys { state.sleepers[number] = nil }
            state.nextDue = state.sleepers.values.map(\.due).min()
            return due.values.sorted { $0.due < $1.due }.map(\.continuation)
        }
        for sleeper in due { sleeper.resume() }
    }
}
