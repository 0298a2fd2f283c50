// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The builtin task that calls the other members of a group off, once one has failed whose join ends at the first failure.
///
/// Its message is sent in the step that ends the join, so that it is not lost. Which tasks these are, the record of the workflow
/// says: a chain is called off with all of its steps.
enum CallingOff {
    /// The name of the builtin task.
    static let task = "chard.cancel"
    /// How long workers remember what was called off.
    static let timeToLive = Duration.seconds(30 * 86_400)

    static func signature(of group: String, in workflow: String, on queue: String) -> Canvas {
        var canvas = Canvas(task: task)
        canvas.keywords = [
            MessageBody.Keyword(name: "workflow", value: JSONText.string(workflow)),
            MessageBody.Keyword(name: "group", value: JSONText.string(group)),
        ]
        canvas.options["queue"] = JSONText.string(queue)
        canvas.options["ignore_result"] = JSON.bool(true).encoded()[...]
        return canvas
    }

    /// The tasks of a group, as far as the record of its workflow knows them.
    static func tasks(of group: String, in record: [String: [UInt8]]) -> [String] {
        record.compactMap { WorkflowRecord.Part(name: $0.key, $0.value) }.flatMap { $0.plan.ids(of: group) }
    }
}

extension WorkflowPlan {
    /// The ids of all tasks in a group.
    fileprivate func ids(of group: String) -> [String] {
        switch self {
        case .task: []
        case .chain(let parts): parts.flatMap { $0.ids(of: group) }
        case .group(let id, let members): id == group ? ids : members.flatMap { $0.ids(of: group) }
        }
    }
}
