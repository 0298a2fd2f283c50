// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What is kept of a workflow in the record of its root id, and under which names.
///
/// What its tasks have come to is not among that: their statuses say it, which Swift and Python workers store in any case. So a
/// workflow costs no more for having a record than one write when it is sent, and one for each part of it that fails.
enum WorkflowRecord {
    /// How many tasks are planned at most in one record; of what is larger there is none.
    static let mostTasks = 100_000

    /// When it was called off.
    static let cancelled = "cancelled"

    /// A part that was sent as one: by a program, by the body of a task, or in the place of one.
    struct Part: Sendable {
        var plan: WorkflowPlan
        var sentAt: Date
        /// The task whose body has sent it, or that it takes the place of.
        var parent: String?

        static let prefix = "part:"

        init(_ plan: WorkflowPlan, sentAt: Date, parent: String?) {
            self.plan = plan
            self.sentAt = sentAt
            self.parent = parent
        }

        init?(name: String, _ value: [UInt8]) {
            guard name.hasPrefix(Self.prefix), let json = try? JSON(parsing: value, limits: .held),
                let plan = json["plan"].flatMap(WorkflowPlan.init)
            else { return nil }
            self.init(
                plan, sentAt: Date(timeIntervalSince1970: json["sent"]?.number ?? 0), parent: json["parent"]?.string)
        }

        /// - Parameter id: What it is known by among others of the workflow.
        func change(
            _ kind: RecordChange.Kind, of root: String, as id: String, timeToLive: Duration
        ) -> RecordChange? {
            guard plan.count <= WorkflowRecord.mostTasks else { return nil }
            let json: JSON = [
                "sent": .number(sentAt.timeIntervalSince1970), "parent": parent.map(JSON.string) ?? .null,
                "plan": plan.json,
            ]
            return RecordChange(kind, root, Self.prefix + id, json.encoded(), timeToLive: timeToLive)
        }
    }

    /// A task that has failed for good, and its message, to be sent again from what failed.
    struct Failure: Sendable {
        var task: String
        var error: String
        var queue: String
        /// Whether the message is among the dead letters, under the id of the task.
        var isBuried: Bool
        /// The message; `nil` where it is buried, or too large to be kept twice.
        var message: [UInt8]?

        static let prefix = "failed:"
        /// How large a message is kept here.
        static let largest = 256 << 10

        init(task: String, error: String, queue: String, isBuried: Bool, message: [UInt8]) {
            self.task = task
            self.error = error
            self.queue = queue
            self.isBuried = isBuried
            self.message = isBuried || message.count > Self.largest ? nil : message
        }

        /// A line of JSON, and the message behind it.
        init?(_ value: [UInt8]) {
            guard let end = value.firstIndex(of: 0x0A), let json = try? JSON(parsing: value[..<end]),
                let task = json["task"]?.string, let queue = json["queue"]?.string
            else { return nil }
            self.task = task
            self.queue = queue
            error = json["error"]?.string ?? ""
            isBuried = json["buried"]?.bool ?? false
            message = value.count > end + 1 ? Array(value[(end + 1)...]) : nil
        }

        func change(
            _ kind: RecordChange.Kind, of root: String, id: String, timeToLive: Duration
        ) -> RecordChange {
            let json: JSON = [
                "task": .string(task), "error": .string(String(error.prefix(1_000))), "queue": .string(queue),
                "buried": .bool(isBuried),
            ]
            return RecordChange(
                kind, root, Self.prefix + id, json.encoded() + [0x0A] + (message ?? []), timeToLive: timeToLive)
        }
    }
}

extension TaskMessage {
    /// The id of the workflow that it may be a part of: of one that was sent by itself it is its own.
    package var workflowID: String { rootID ?? id }

    /// The name of the order by which its workflow is called off; `nil` where that would be its own revocation.
    package var workflowOrder: String? {
        guard let rootID, rootID != id else { return nil }
        return Self.workflowOrder(rootID)
    }

    /// The name of the order by which the workflow of this id is called off: it stands among the revoked tasks.
    package static func workflowOrder(_ id: String) -> String { "workflow:\(id)" }
}

extension Canvas {
    /// The id of the first task, or of the group that comes first: the root of the whole, once its ids are settled.
    var firstID: String? {
        switch form {
        case .task, .group: options[.taskID].text
        case .chain(let tasks): tasks.first { !$0.isEmpty }?.firstID
        case .chord(let header, _): header.options[.taskID].text
        }
    }

    /// Whether it is one call and nothing that follows it.
    var isPlain: Bool {
        guard case .task = form else { return false }
        return options[.link] == nil && options[.linkError] == nil
    }
}
