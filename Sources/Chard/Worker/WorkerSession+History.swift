// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension WorkerSession {
    /// What the end of a run is to be remembered as; `nil` where there is no history, or nothing to be remembered.
    ///
    /// - Parameter duration: How long the body ran.
    func note(_ outcome: Outcome, of run: TaskRun, _ delivery: Delivery, after duration: Duration) -> AttemptRecord? {
        guard historian != nil, let end = Attempt.End(outcome), Self.isName(run.message.id) else { return nil }
        let now = execution.settings.now()
        return AttemptRecord(
            of: run.message, on: delivery.queue, by: hold.node, end: end,
            startedAt: now.addingTimeInterval(-duration.seconds), endedAt: now, error: outcome.errorText)
    }

    /// The same of what was not run.
    func note(_ outcome: Outcome, of message: TaskMessage?, _ delivery: Delivery) -> AttemptRecord? {
        guard historian != nil, let end = Attempt.End(outcome) else { return nil }
        let now = execution.settings.now()
        if let message {
            guard Self.isName(message.id) else { return nil }
            return AttemptRecord(
                of: message, on: delivery.queue, by: hold.node, end: end, startedAt: nil, endedAt: now,
                error: outcome.errorText)
        }
        let identity = MessageIdentity(delivery.payload)
        guard let id = identity.id, Self.isName(id) else { return nil }
        var attempt = Attempt(id: id, end: end, endedAt: now)
        attempt.task = identity.task ?? ""
        attempt.queue = delivery.queue
        attempt.node = hold.node
        attempt.error = outcome.errorText
        return AttemptRecord(attempt)
    }

    /// What came in a message may be of any length, and would be kept as a name.
    private static func isName(_ id: String) -> Bool { id.utf8.count <= 1_024 }

    /// Remembers what was settled.
    func remember(_ conclusions: [Conclusion], _ receipts: [Receipt]) {
        guard let historian else { return }
        var attempts: [AttemptRecord] = []
        attempts.reserveCapacity(conclusions.count)
        // By places, since to go through the elements copies each.
        for (place, receipt) in zip(conclusions.indices, receipts) {
            guard let record = conclusions[place].note else { continue }
            if case .fenced = receipt.end { continue }
            if case .refused(let reason, _) = receipt.end {
                attempts.append(record.failing(because: reason))
            } else if !conclusions[place].isPlain, conclusions[place].extras.appeal?.rest != nil {
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
