// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization

/// A thread of the worker's own for claiming, settling, limits and stopping.
///
/// Bodies run on Swift's pool, which has one thread for each core: as many bodies that compute without pause would stop
/// everything else that runs there. What runs here they cannot stop.
final class ControlThread: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
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

    /// Lets the thread go once nothing is left to run.
    func stop() {
        state.withLock { $0.isStopped = true }
        ready.signal()
    }

    private func work() {
        let executor = asUnownedTaskExecutor()
        while true {
            ready.wait()
            while true {
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
}
