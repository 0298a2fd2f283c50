// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import HTTPTypes

/// Which tasks are wanted, as the address or a form says it.
struct TaskFilter: Sendable {
    /// Where they are, or how they ended.
    enum State: String, Sendable, CaseIterable {
        case ended, failed, succeeded, retried, lost, revoked, waiting, running, delayed, dead

        /// The ends that it is about; empty for all.
        var ends: Set<Attempt.End> {
            switch self {
            case .failed: [.failure, .rejected]
            case .succeeded: [.success, .ignored, .replaced]
            case .retried: [.retry, .requeued, .handedBack]
            case .lost: [.lost]
            case .revoked: [.revoked]
            case .ended, .waiting, .running, .delayed, .dead: []
            }
        }

        /// Whether it is about attempts that are over, rather than about where a task is.
        var isOver: Bool { self == .ended || !ends.isEmpty }

        /// What can be done to tasks in this state.
        var acts: [String] {
            switch self {
            case .failed, .lost, .ended, .revoked: ["retry", "delete"]
            case .succeeded: ["delete"]
            case .retried, .delayed: ["run", "cancel"]
            case .waiting, .running: ["cancel"]
            case .dead: ["retry", "delete"]
            }
        }
    }

    var state = State.ended
    /// The task's name: `*` stands for any run of characters, `?` for one.
    var task: String?
    var queue: String?
    var worker: String?
    /// What the error's text contains, in capitals or not.
    var error: String?
    var since: Date?
    /// The words by which it was asked for.
    let words: [String: String]

    static let parameters = [
        Page.Parameter(
            "state", "one of: \(State.allCases.map(\.rawValue).joined(separator: ", ")); ended unless it is said"),
        Page.Parameter("task", "the task's name; * stands for any run of characters"),
        Page.Parameter("queue", "the queue's name; * stands for any run of characters"),
        Page.Parameter("worker", "the worker's node name; * stands for any run of characters"),
        Page.Parameter("since", "no longer ago, or not before: \(TimeFilter.expected)"),
        Page.Parameter("error", "a part of the error's text"),
    ]

    /// - Throws: ``PageError``, which names the filter that is none.
    init(now: Date, _ filter: (String) -> String?) throws {
        words = Dictionary(
            uniqueKeysWithValues: Self.parameters.compactMap { parameter in
                filter(parameter.name).map { (parameter.name, $0) }
            })
        if let text = words["state"] {
            guard let state = State(rawValue: text) else {
                throw PageError(
                    .badRequest,
                    "The filter \"state\" is \"\(text.prefix(100))\"; it must be one of "
                        + "\(State.allCases.map(\.rawValue).joined(separator: ", ")).")
            }
            self.state = state
        }
        (task, queue, worker) = (words["task"], words["queue"], words["worker"])
        error = words["error"]?.lowercased()
        since = try words["since"].map { try TimeFilter.past("since", $0, now: now) }
    }

    /// Whether a row is wanted. What a row does not know is not what is asked for.
    func matches(_ row: TaskRow) -> Bool {
        Self.matches(task, row.task) && Self.matches(queue, row.queue) && Self.matches(worker, row.node)
            && error.map { row.error?.lowercased().contains($0) ?? false } ?? true
            && since.map { since in row.at.map { $0 >= since } ?? false } ?? true
    }

    /// Whether only the queue is asked for, so that parts of a list can be passed over unseen.
    var isOnlyQueue: Bool { task == nil && worker == nil && error == nil && since == nil }

    static func matches(_ pattern: String?, _ text: String?) -> Bool {
        guard let pattern else { return true }
        return text.map { Routes.matches(Array(pattern.utf8), Array($0.utf8)) } ?? false
    }
}
