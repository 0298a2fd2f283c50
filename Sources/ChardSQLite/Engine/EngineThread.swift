// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Dispatch
import Synchronization

/// The thread that works on the file, which starts with the first job.
///
/// Two changes of thread cost a caller more than its transaction does, and nobody shares that with a caller who is alone. So
/// where nothing else is to be done, and transactions are short, it works in the thread's place. It never waits there for another
/// process, and there is one at most at a time, so that no more than one thread of Swift's pool is taken up by it.
final class EngineThread: Sendable {
    private let inbox: Inbox
    private let loop: Mutex<EngineLoop>
    private let start = Mutex(false)
    private let ended = DispatchGroup()
    /// How many jobs callers have done in its place.
    let doneAtOnce = Atomic(0)

    init(_ inbox: Inbox, _ loop: sending EngineLoop) {
        self.inbox = inbox
        self.loop = Mutex(loop)
    }

    /// Leaves a job for the thread.
    func submit(_ job: Job) {
        startOnce()
        if !inbox.add(job) { job.fail(BrokerError(.closed, "the broker was shut down")) }
    }

    /// Does a job before this returns where it can, and leaves it for the thread where not.
    func performSoon(_ job: Job) {
        let isDone = inbox.isEmpty ? loop.withLockIfAvailable { loop in loop.performAtOnce(job) } : nil
        guard isDone == true else { return submit(job) }
        doneAtOnce.add(1, ordering: .relaxed)
    }

    /// Lets the thread go once what was left before is done.
    func stop() {
        inbox.stop()
    }

    /// Returns once the thread has gone.
    func end() async {
        await withCheckedContinuation { continuation in
            ended.notify(queue: .global()) { continuation.resume() }
        }
    }

    private func startOnce() {
        let isFirst = start.withLock { hasStarted in
            defer { hasStarted = true }
            return !hasStarted
        }
        guard isFirst else { return }
        // A serial queue has a thread of its own for as long as this runs.
        DispatchQueue(label: "chard.sqlite").async(group: ended) { [self] in run() }
    }

    private func run() {
        var goesOn = true
        while goesOn {
            inbox.wait(until: loop.withLock { $0.nextDeadline })
            goesOn = loop.withLock { $0.round(inbox.take()) }
        }
    }
}
