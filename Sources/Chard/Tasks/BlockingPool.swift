// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import DequeModule
import Dispatch
import Synchronization

/// A bounded pool of threads for bodies that block.
///
/// Threads are started as they are needed, at most so many as its limit says, and kept until the pool is shut down. Swift's own pool has
/// one thread for each core, so two blocking bodies on it would stop a whole worker.
final class BlockingPool: Sendable {
    private struct State {
        var jobs = Deque<@Sendable () -> Void>()
        var threads = 0
        var idle = 0
        var isShutDown = false
    }

    private let limit: @Sendable () -> Int
    private let state = Mutex(State())
    private let ready = DispatchSemaphore(value: 0)

    init(limit: Int) {
        self.limit = { max(1, limit) }
    }

    /// A pool whose limit may change. Threads that are there stay.
    init(limit: @escaping @Sendable () -> Int) {
        self.limit = limit
    }

    /// Runs `body` on one of the threads. There, cancellation is told by the task's context alone.
    func run<Output: Sendable>(_ body: @escaping @Sendable () throws -> Output) async throws -> Output {
        try await withCheckedThrowingContinuation { continuation in
            submit { continuation.resume(with: Result { try body() }) }
        }
    }

    /// Lets the threads go once they have run what was submitted.
    func shutdown() {
        let threads = state.withLock { state in
            state.isShutDown = true
            return state.threads
        }
        for _ in 0..<threads { ready.signal() }
    }

    private func submit(_ job: @escaping @Sendable () -> Void) {
        let limit = limit()
        let startsThread = state.withLock { state in
            state.jobs.append(job)
            guard state.idle < state.jobs.count, state.threads < limit else { return false }
            state.threads += 1
            state.idle += 1
            return true
        }
        if startsThread {
            // A serial queue has a thread of its own for as long as this loop runs.
            DispatchQueue(label: "chard.blocking").async { self.work() }
        }
        ready.signal()
    }

    /// How many threads there are now.
    var threads: Int { state.withLock { $0.threads } }

    private func work() {
        while let job = next() {
            job()
            state.withLock { $0.idle += 1 }
        }
    }

    /// Waits for a job; `nil` when the thread is to go, the pool being shut down and nothing left to run.
    private func next() -> (@Sendable () -> Void)? {
        while true {
            let (job, isOver): ((@Sendable () -> Void)?, Bool) = state.withLock { state in
                guard let job = state.jobs.popFirst() else {
                    if state.isShutDown {
                        state.threads -= 1
                        state.idle -= 1
                    }
                    return (nil, state.isShutDown)
                }
                state.idle -= 1
                return (job, false)
            }
            if job != nil || isOver { return job }
            ready.wait()
        }
    }
}
