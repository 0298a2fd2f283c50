// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Dispatch
import Synchronization

/// What waits for the engine's thread, and how that thread waits for it.
final class Mailbox: Sendable {
    /// What had come when the thread looked.
    struct Mail: Sendable {
        var jobs: [Job] = []
        /// Whether another process has told of a change.
        var hasRung = false
        var isStopped = false

        var isEmpty: Bool { jobs.isEmpty && !hasRung && !isStopped }
    }

    private let mail = Mutex(Mail())
    private let ready = DispatchSemaphore(value: 0)

    /// Leaves a job. Returns `false` if nobody will do it any more.
    func add(_ job: Job) -> Bool {
        let isTaken = mail.withLock { mail in
            if !mail.isStopped { mail.jobs.append(job) }
            return !mail.isStopped
        }
        if isTaken { ready.signal() }
        return isTaken
    }

    /// Says that another process has changed something.
    func ring() {
        let isFirst = mail.withLock { mail in
            defer { mail.hasRung = true }
            return !mail.hasRung
        }
        if isFirst { ready.signal() }
    }

    /// Lets the thread go once what was left before is done.
    func stop() {
        mail.withLock { $0.isStopped = true }
        ready.signal()
    }

    /// Waits until there is mail, or until `deadline`.
    func take(until deadline: ContinuousClock.Instant?) -> Mail {
        while true {
            let mail = mail.withLock { mail in
                defer { mail = Mail(isStopped: mail.isStopped) }
                return mail
            }
            if !mail.isEmpty { return mail }
            guard let deadline else {
                ready.wait()
                continue
            }
            let left = (deadline - .now).seconds
            if left <= 0 || ready.wait(timeout: .now() + left) == .timedOut { return mail }
        }
    }
}
