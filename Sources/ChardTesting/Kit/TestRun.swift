// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// One run that a ``TestQueue`` made, and what it came to.
public struct TestRun: Sendable, Hashable, CustomStringConvertible {
    /// What a run may come to.
    public enum End: Sendable, Hashable {
        /// The body returned; the result is kept.
        case succeeded
        /// It failed for good, and the failure is kept.
        case failed(TaskError)
        /// It failed and is delayed to run again at this time.
        case retried(at: Date, TaskError)
        /// It was put off, with nothing stored: its time had not come, or the task sent it back to its queue.
        case putOff(until: Date)
        /// It did not run, because it was revoked or had expired: the word says which.
        case revoked(String)
        /// The body threw `Ignore`.
        case ignored
        /// The body has put a workflow in its place.
        case replaced
        /// The worker was lost in mid-run, by ``TestQueue/loseWorkerDuringNext(_:)``. The message comes
        /// back when the lease has lapsed.
        case workerLost
    }

    /// The task's id; empty where the message could not be read.
    public let id: String
    /// The task's name; empty where the message could not be read.
    public let task: String
    /// The queue it came from.
    public let queue: String
    /// Which attempt it was, from 1.
    public let attempt: Int
    /// What it came to.
    public let end: End

    init(_ message: TaskMessage?, queue: String, end: End) {
        id = message?.id ?? ""
        task = message?.task ?? ""
        self.queue = queue
        attempt = (message?.retries ?? 0) + 1
        self.end = end
    }

    /// Task, attempt and end.
    public var description: String { "\(task)[\(id)], attempt \(attempt): \(end)" }
}

extension TestRun.End {
    init(_ outcome: Outcome) {
        switch outcome {
        case .success: self = .succeeded
        case .retry(let date, let cause): self = .retried(at: date, cause)
        case .tooEarly(let date), .rateLimited(let date), .requeued(let date): self = .putOff(until: date)
        case .revoked(let word): self = .revoked(word)
        case .ignored, .returned: self = .ignored
        case .replaced: self = .replaced
        case .failure, .rejected, .unreadable:
            self = .failed(outcome.error ?? TaskError("Failure", "", module: "chard"))
        }
    }
}
