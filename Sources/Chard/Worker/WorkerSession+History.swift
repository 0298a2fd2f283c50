// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What an end is to be remembered as. A class: a conclusion is handed on several times, and stays small.
final class Note: Sendable {
    let record: AttemptRecord

    init(_ record: AttemptRecord) { self.record = record }
}

extension WorkerSession {
    /// What an end is to be remembered as; `nil` where there is no history, or nothing to be remembered.
    ///
    /// - Parameter duration: How long the body ran; `nil` where it was not run.
    func note(
        _ outcome: Outcome, of message: TaskMessage?, _ delivery: Delivery, after duration: Duration?
    ) -> Note? {
        guard historian != nil, let end = Attempt.End(outcome) else { return nil }
        let now = execution.settings.now()
        var attempt: Attempt
        if let message {
            attempt = Attempt(message, on: delivery.queue, end: end, endedAt: now)
        } else {
            let identity = MessageIdentity(delivery.payload)
            guard let id = identity.id else { return nil }
            attempt = Attempt(id: id, end: end, endedAt: now)
            attempt.task = identity.task ?? ""
            attempt.queue = delivery.queue
        }
        // What came in a message may be of any length, and would be kept as a name.
        guard attempt.id.utf8.count <= 1_024 else { return nil }
        attempt.node = hold.node
        attempt.startedAt = duration.map { now.addingTimeInterval(-$0.seconds) }
        attempt.error = outcome.errorText.map { String($0.prefix(Attempt.mostError)) }
        return Note(AttemptRecord(attempt))
    }

    /// Remembers what was settled.
    func remember(_ conclusions: [Conclusion], _ receipts: [Receipt]) {
        guard let historian else { return }
        var attempts: [AttemptRecord] = []
        attempts.reserveCapacity(conclusions.count)
        for (conclusion, receipt) in zip(conclusions, receipts) {
            guard let record = conclusion.note?.record, receipt.end != .fenced else { continue }
            if case .refused(let reason, _) = receipt.end {
                attempts.append(record.failing(because: reason))
            } else if !conclusion.isPlain, conclusion.extras.appeal?.rest != nil {
                // What was written in place of an end that was refused is its failure.
                attempts.append(record.failing(because: "ResultNotStored"))
            } else {
                attempts.append(record)
            }
        }
        historian.add(attempts)
    }
}

extension AttemptRecord {
    /// The same attempt, whose end could not be written as it was.
    fileprivate func failing(because reason: String) -> AttemptRecord {
        guard var attempt else { return self }
        attempt.end = .failure
        attempt.error = attempt.error ?? reason
        return AttemptRecord(attempt)
    }
}

extension Attempt.End {
    /// What an outcome is remembered as; what was merely put off is not.
    fileprivate init?(_ outcome: Outcome) {
        switch outcome {
        case .success: self = .success
        case .failure, .unreadable: self = .failure
        case .retry: self = .retry
        case .replaced: self = .replaced
        case .revoked: self = .revoked
        case .ignored: self = .ignored
        case .requeued: self = .requeued
        case .rejected: self = .rejected
        case .returned: self = .handedBack
        case .tooEarly, .rateLimited: return nil
        }
    }
}

extension Outcome {
    /// What went wrong, if something did.
    var errorText: String? {
        switch self {
        case .failure(let error, _), .retry(_, let error): "\(error)"
        case .unreadable(let error): "\(error)"
        case .rejected(let why), .revoked(let why): why
        case .success, .replaced, .ignored, .requeued, .tooEarly, .rateLimited, .returned: nil
        }
    }
}
