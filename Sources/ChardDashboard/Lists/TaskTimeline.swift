// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// What happened to a task, in its order.
enum TaskTimeline {
    static func document(of record: TaskRecord) -> JSON {
        var moments: [(at: Date, what: String, text: String)] = []
        if let sent = record.sentAt { moments.append((sent, "sent", record.origin.map { "by \($0)" } ?? "")) }
        for attempt in record.attempts {
            let on = attempt.node.isEmpty ? "" : " on \(attempt.node)"
            let which = "attempt \(attempt.number)\(on)"
            if let started = attempt.startedAt { moments.append((started, "started", which)) }
            let error = attempt.error.map { ": \($0)" } ?? ""
            moments.append((attempt.endedAt, attempt.end.rawValue.lowercased(), which + error))
        }
        switch record.place {
        case .leased(_, let holder, let worker, let since?):
            moments.append((since, "running", "on \(worker?.node ?? holder)"))
        case .delayed(let queue, let until): moments.append((until, "due", "in the queue \(queue)"))
        case .dead(let letter): moments.append((letter.diedAt, "dead", letter.reason.rawValue))
        default: break
        }
        // Attempts on Python workers are not in the history: their end is in the status.
        if let status = record.status, status.state.isReady, let done = status.dateDone, record.attempts.isEmpty {
            moments.append((done, status.state.rawValue.lowercased(), status.exception.map { "\($0)" } ?? ""))
        }
        return .array(
            moments.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map {
                [
                    "at": MessageDocument.time($0.element.at), "what": .string($0.element.what),
                    "text": .string($0.element.text),
                ]
            })
    }
}
