// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Dispatch
import Synchronization

/// What waits for the engine's thread, and how that thread waits for it.
final class Inbox: Sendable {
    /// What had come when the thread looked.
    struct Content: Sendable {
        var jobs: [Job] = []
        /// Whether another process has told of a change.
        var hasRung = false
        var isStopped = false

        var isEmpty: Bool { jobs.isEmpty && !hasRung && !isStopped }
    }

    private let content = Mutex(Content())
    private let ready = DispatchSemaphore(value: 0)

    /// Leaves a job. Returns `false` if nobody will do it any more.
    func add(_ job: Job) -> Bool {
        let isTaken = content.withLock { content in
            if !content.isStopped { content.jobs.append(job) }
            return !content.isStopped
        }
        if isTaken { ready.signal() }
        return isTaken
    }

    /// Says that another process has changed something.
    func ring() {
        let isFirst = content.withLock { content in
            defer { content.hasRung = true }
            return !content.hasRung
        }
        if isFirst { ready.signal() }
    }

    /// Lets the thread go once what was left before is done.
    func stop() {
        content.withLock { $0.isStopped = true }
        ready.signal()
    }

    /// Whether nothing waits for the thread.
    var isEmpty: Bool { content.withLock { $0.isEmpty } }

    /// Waits until something has come, or until `deadline`.
    func wait(until deadline: ContinuousClock.Instant?) {
        while isEmpty {
            guard let deadline else {
                ready.wait()
                continue
            }
            let left = (deadline - .now).seconds
            if left <= 0 || ready.wait(timeout: .now() + left) == .timedOut { return }
        }
    }

    /// Takes what has come.
    func take() -> Content {
        content.withLock { content in
            defer { content = Content(isStopped: content.isStopped) }
            return content
        }
    }
}
