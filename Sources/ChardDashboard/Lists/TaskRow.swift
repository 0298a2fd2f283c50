// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// A task in a list, as far as the list's source knows it.
struct TaskRow: Sendable {
    /// By which it is acted on: the task's id, the name of what is delayed, or that of a dead letter.
    var id: String
    var task = ""
    var queue = ""
    var state: String
    /// The worker that has or had it.
    var node: String?
    /// When it ended, was sent, died, or is to run: whatever its state is about.
    var at: Date?
    var seconds: Double?
    var error: String?

    init(id: String, state: String) {
        self.id = id
        self.state = state
    }

    init(_ attempt: Attempt) {
        self.init(id: attempt.id, state: attempt.end.rawValue.lowercased())
        (task, queue, node) = (attempt.task, attempt.queue, attempt.node)
        (at, error) = (attempt.endedAt, attempt.error)
        seconds = attempt.startedAt.map { max(0, attempt.endedAt.timeIntervalSince($0)) }
    }

    /// A message that waits, or that a worker has. One that cannot be read has no id to act on it by.
    init(_ message: PeekedMessage, state: String) {
        let (id, task) = message.task
        self.init(id: id ?? "", state: state)
        (self.task, queue) = (task ?? "?", message.queue)
        at = message.message?.sentAt
    }

    init(_ delayed: DelayedTask, now: Date) {
        self.init(id: delayed.name, state: delayed.dueAt < now.addingTimeInterval(-1) ? "late" : "delayed")
        (task, queue, at) = (delayed.message?.task ?? "?", delayed.queue, delayed.dueAt)
    }

    init(_ letter: DeadLetter) {
        self.init(id: letter.id, state: "dead")
        (task, queue, node) = (letter.task ?? "?", letter.queue, letter.worker)
        (at, error) = (letter.diedAt, "\(letter.reason.rawValue): \(letter.error)")
    }

    var document: JSON {
        func text(_ value: String?) -> JSON { value.flatMap { $0.isEmpty ? nil : .string($0) } ?? .null }
        return [
            "id": text(id), "task": text(task), "queue": text(queue), "state": .string(state), "node": text(node),
            "at": MessageDocument.time(at),
            "seconds": seconds.map { .number(($0 * 1000).rounded() / 1000) } ?? .null, "error": text(error),
        ]
    }
}
