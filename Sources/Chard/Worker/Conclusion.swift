// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What one run came to.
package enum Outcome: Sendable {
    /// The body returned this, as JSON.
    case success([UInt8])
    /// It failed for good; with a reason, the message is kept as well.
    case failure(TaskError, keptAs: DeadLetter.Reason?)
    /// It is to run again at `at`, because of `cause`.
    case retry(at: Date, cause: TaskError)
    /// Its time has not come.
    case tooEarly(Date)
    /// It was revoked, has expired or was terminated: the word says which.
    case revoked(String)
    /// No status, no further message.
    case ignored
    /// Sent back to the end of its queue, to be tried at this time.
    case requeued(at: Date)
    /// Refused: kept, without a status.
    case rejected(String)
    /// Not a message that can be run.
    case unreadable(MessageError)
    /// The worker ends: back to the front, uncounted.
    case returned
}

/// A run's end in the terms of the broker: what to settle and what to count.
struct Conclusion: Sendable {
    var settlement: Settlement
    /// The status where results are kept apart from the broker: to be stored before the settlement.
    var elsewhere: StatusRecord? = nil
    var failed: Bool
    /// Whether the task was dealt with, rather than put off.
    var isDone = true

    /// The size of what is to be written, in bytes: of result and followers.
    var bytes: Int {
        settlement.followers.reduce((settlement.status ?? elsewhere)?.json.count ?? 0) { $0 + $1.payload.count }
    }
}

/// Turns outcomes into settlements: the one place that knows what each of them leaves behind.
struct Concluder: Sendable {
    let node: String
    let settings: Settings
    let keepsResultsElsewhere: Bool

    func conclude(
        _ outcome: Outcome, of message: TaskMessage?, task: RegisteredTask?, delivery: Delivery
    ) -> Conclusion {
        var settlement = Settlement(delivery, .finished)
        var failed = false
        var isDone = true
        switch outcome {
        case .success(let json):
            settlement.status = status(.success, json, message, task)
        case .failure(let error, let reason):
            failed = true
            settlement.status = status(.failure, error, message, task)
            if let reason {
                settlement.fate = .dead(letter(reason, error.description, message, delivery))
            }
        case .retry(let date, let cause):
            guard let message else { break }
            settlement.status = status(.retry, cause, message, task)
            settlement.followers = [follower(message.retried(eta: date), delivery, dueAt: date)]
        case .tooEarly(let date):
            isDone = false
            guard let message else { break }
            settlement.followers = [
                OutgoingMessage(
                    id: message.id, queue: delivery.queue, priority: message.properties.priority, dueAt: date,
                    payload: delivery.payload)
            ]
        case .revoked(let word):
            settlement.status = status(
                .revoked, TaskError("TaskRevokedError", word, module: "celery.exceptions"), message, task)
        case .ignored:
            break
        case .requeued(let date):
            guard let message else { break }
            settlement.followers = [follower(message, delivery, dueAt: date)]
        case .rejected(let why):
            // Celery 5.7 stores this too, so that nobody waits for ever.
            var error = TaskError("Reject", why, module: "celery.exceptions")
            error.arguments.append(false)
            settlement.status = status(.failure, error, message, task)
            settlement.fate = .dead(letter(.rejected, why, message, delivery))
        case .unreadable(let error):
            failed = true
            settlement.fate = .dead(
                error.letter(of: delivery.payload, on: delivery.queue, from: node, at: settings.now()))
            settlement.status = error.status(at: settings.now(), timeToLive: settings.resultExpires)
        case .returned:
            isDone = false
            settlement.fate = .returned
        }
        guard keepsResultsElsewhere else { return Conclusion(settlement: settlement, failed: failed, isDone: isDone) }
        let status = settlement.status
        settlement.status = nil
        return Conclusion(settlement: settlement, elsewhere: status, failed: failed, isDone: isDone)
    }

    private func follower(_ message: TaskMessage, _ delivery: Delivery, dueAt: Date) -> OutgoingMessage {
        OutgoingMessage(
            id: message.id, queue: delivery.queue, priority: message.properties.priority, dueAt: dueAt,
            payload: message.encoded())
    }

    private func letter(
        _ reason: DeadLetter.Reason, _ error: String, _ message: TaskMessage?, _ delivery: Delivery
    ) -> DeadLetter {
        let neverStarted: Set<DeadLetter.Reason> = [.notRegistered, .badArguments, .unsupportedWorkflow]
        return DeadLetter(
            id: message?.id ?? "", taskID: message?.id, task: message?.task, queue: delivery.queue, reason: reason,
            error: error, attempts: (message?.retries ?? 0) + (neverStarted.contains(reason) ? 0 : 1), worker: node,
            diedAt: settings.now(), payload: delivery.payload)
    }

    private func status(
        _ state: TaskState, _ error: TaskError, _ message: TaskMessage?, _ task: RegisteredTask?
    ) -> StatusRecord? {
        let traceback =
            error.traceback
            ?? message.map { "\(error)\n  in task \($0.task)[\($0.id)], attempt \($0.retries + 1), on \(node)\n" }
        return status(state, error.info.json.encoded(), message, task, traceback: traceback)
    }

    private func status(
        _ state: TaskState, _ json: [UInt8], _ message: TaskMessage?, _ task: RegisteredTask?, traceback: String? = nil
    ) -> StatusRecord? {
        guard let message else { return nil }
        if message.ignoresResult ?? task?.options.ignoresResult ?? false { return nil }
        var status = TaskStatus(id: message.id, state: state, result: json)
        status.traceback = traceback
        status.groupID = message.group
        status.parentID = message.parentID
        if state.isReady { status.dateDone = settings.now() }
        return StatusRecord(status, timeToLive: task?.options.resultExpires ?? settings.resultExpires)
    }
}

extension MessageError {
    /// What is kept of the message.
    func letter(of payload: [UInt8], on queue: String, from node: String, at now: Date) -> DeadLetter {
        DeadLetter(
            id: partialID ?? "", taskID: partialID, task: partialTask, queue: queue, reason: deadLetterReason,
            error: description, attempts: 0, worker: node, diedAt: now, payload: payload)
    }

    /// What whoever waits for the task is told, where its id could be read.
    func status(at now: Date, timeToLive: Duration?) -> StatusRecord? {
        guard let id = partialID, !id.isEmpty else { return nil }
        let failure = TaskError(exceptionType, description, module: exceptionModule)
        var status = TaskStatus(id: id, state: .failure, result: failure.info.json.encoded())
        status.dateDone = now
        return StatusRecord(status, timeToLive: timeToLive)
    }

    var deadLetterReason: DeadLetter.Reason {
        switch code {
        case .tooLarge, .tooDeep: .tooLarge
        case .unsupportedContentType, .unsupportedEncoding, .unsupportedCompression: .refusedContent
        default: .malformed
        }
    }

    /// Celery's name for the error where it has one.
    var exceptionType: String {
        switch code {
        case .unsupportedContentType: "ContentDisallowed"
        default: "DecodeError"
        }
    }

    var exceptionModule: String { "kombu.exceptions" }
}
