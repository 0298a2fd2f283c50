// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension WorkflowReport {
    /// How many seconds it took, or takes by now.
    package var took: Double? { (endedAt ?? Date()).timeIntervalSince(sentAt) }

    /// The report; its tasks only in full.
    package func document(full: Bool) -> JSON {
        var document: JSON = [
            "id": .string(id), "state": .string(state.rawValue), "sent": .string(Timestamp.text(for: sentAt)),
            "ended": endedAt.map { .string(Timestamp.text(for: $0)) } ?? .null,
            "progress": [
                "total": .integer(progress.total), "done": .integer(progress.done),
                "waiting": .integer(progress.waiting),
                "running": .integer(progress.running), "succeeded": .integer(progress.succeeded),
                "failed": .integer(progress.failed), "cancelled": .integer(progress.cancelled),
            ],
        ]
        if full { document["tree"] = .array(nodes.map(\.document)) }
        return document
    }
}

extension WorkflowReport.Node {
    fileprivate var document: JSON {
        switch self {
        case .task(let task):
            var document: JSON = [
                "id": .string(task.id), "task": .string(task.task), "state": .string(task.state.rawValue),
                "status": task.status.map { .string($0.rawValue) } ?? .null,
                "since": task.since.map { .string(Timestamp.text(for: $0)) } ?? .null,
                "ended": task.endedAt.map { .string(Timestamp.text(for: $0)) } ?? .null,
                "seconds": task.seconds(now: Date()).map(JSON.number) ?? .null,
                "error": task.error.map(JSON.string) ?? .null,
            ]
            // Only of steps that wait for others: a group may have very many members.
            if !task.after.isEmpty { document["after"] = .array(task.after.map(JSON.string)) }
            return document
        case .group(let id, let members):
            return ["group": .string(id), "members": .array(members.map { .array($0.map(\.document)) })]
        case .sent(let parent, let nodes):
            return ["sent_by": .string(parent), "tree": .array(nodes.map(\.document))]
        }
    }
}
