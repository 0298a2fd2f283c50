// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

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
        case .unsigned, .badSignature: .badSignature
        default: .malformed
        }
    }

    /// Celery's name for the error where it has one.
    var exceptionType: String {
        switch code {
        case .unsupportedContentType: "ContentDisallowed"
        case .unsigned, .badSignature: "SecurityError"
        default: "DecodeError"
        }
    }

    var exceptionModule: String { deadLetterReason == .badSignature ? "celery.exceptions" : "kombu.exceptions" }
}
