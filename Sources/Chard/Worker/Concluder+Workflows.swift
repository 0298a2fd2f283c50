// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension Concluder {
    /// Notes that a task has failed for good: with its message, which may be sent again. That of a workflow's part goes into the
    /// workflow's record, if there is one, that of any other into one of its own.
    func note(
        _ outcome: Outcome, of message: TaskMessage?, isFollowed: Bool, _ delivery: Delivery
    ) -> Effect? {
        let (error, isBuried): (String, Bool)
        switch outcome {
        case .failure(let failure, let reason): (error, isBuried) = ("\(failure)", reason != nil)
        case .rejected(let why): (error, isBuried) = (why, true)
        case .ignored: (error, isBuried) = ("it ended without a result", false)
        case .success, .retry, .replaced, .tooEarly, .rateLimited, .revoked, .requeued, .unreadable, .returned:
            return nil
        }
        guard let message else { return nil }
        let isPart = message.isPart(isFollowed: isFollowed)
        guard isPart || outcome.isFailure && !isBuried && mayKeepAlone(delivery) else { return nil }
        let failure = WorkflowRecord.Failure(
            task: message.task, error: error, queue: delivery.queue, isBuried: isBuried, message: delivery.payload)
        return .record(
            failure.change(
                isPart ? .amend : .keep, of: message.workflowID, id: message.id, timeToLive: rules.lifetimes.usual))
    }

    /// Whether the message of a task by itself is kept that has failed: not what is large.
    private func mayKeepAlone(_ delivery: Delivery) -> Bool {
        keepsRecords && delivery.payload.count <= settings.failedMessageLimit
    }

    /// Lets the steps of a task go with it, unless it may be sent again.
    func endOfSteps(_ outcome: Outcome, of message: TaskMessage?, isFollowed: Bool, _ delivery: Delivery) -> Effect? {
        guard let message, message.hasSteps else { return nil }
        switch outcome {
        case .success, .replaced, .revoked: break
        case .failure(_, nil), .ignored:
            if message.isPart(isFollowed: isFollowed) || outcome.isFailure && mayKeepAlone(delivery) { return nil }
        case .failure, .rejected, .retry, .tooEarly, .rateLimited, .requeued, .unreadable, .returned: return nil
        }
        return .record(.forgetting(StepDesk.record(of: message.id)))
    }

    /// Keeps the record of a workflow that goes on for so long that it would go before its end.
    func renewal(of message: TaskMessage) -> Effect? {
        guard let sent = message.sentAt, rules.now().timeIntervalSince(sent) > Self.recordsRenewedAfter
        else { return nil }
        return .record(RecordChange(.amend, message.workflowID, "", nil, timeToLive: rules.lifetimes.usual))
    }

    /// After how many seconds between the sending of a step and its end.
    private static let recordsRenewedAfter = 60.0
}

extension Outcome {
    fileprivate var isFailure: Bool { if case .failure = self { true } else { false } }
}

extension TaskMessage {
    /// Whether it is part of a workflow.
    fileprivate func isPart(isFollowed: Bool) -> Bool { isFollowed || group != nil || workflowOrder != nil }

    /// Whether its task may have kept steps: whoever concludes it knows by this.
    var hasSteps: Bool { !headers.isEmpty && headers[StepDesk.header] != nil }

    /// The same as the message of such a task.
    var withSteps: TaskMessage {
        var message = self
        message.headers[StepDesk.header] = true
        return message
    }
}

extension Conclusion {
    /// Whether the steps of the task go with it.
    var forgetsSteps: Bool {
        settlement.effects.contains { if case .record(let change) = $0 { change.kind == .forget } else { false } }
    }
}
