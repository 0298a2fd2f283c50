// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What a workflow is made of, as its record keeps it: tasks by their ids, standing within one another as signatures do.
indirect enum WorkflowPlan: Sendable, Hashable {
    /// One task.
    case task(id: String, name: String)
    /// One after the other.
    case chain([WorkflowPlan])
    /// All at once.
    case group(id: String, [WorkflowPlan])

    /// - Parameter canvas: A signature whose ids are settled.
    init(of canvas: Canvas) {
        switch canvas.form {
        case .task: self = .task(id: canvas.options[.taskID].text ?? "", name: canvas.task)
        case .chain(let tasks): self = .chain(tasks.map(WorkflowPlan.init))
        case .group:
            self = .group(id: canvas.options[.taskID].text ?? "", canvas.flatMembers.map(WorkflowPlan.init))
        case .chord(let header, let body): self = .chain([WorkflowPlan(of: header), WorkflowPlan(of: body)])
        }
    }

    /// How many tasks there are.
    var count: Int {
        switch self {
        case .task: 1
        case .chain(let parts), .group(_, let parts): parts.reduce(0) { $0 + $1.count }
        }
    }

    /// The ids of all tasks, in their order.
    var ids: [String] {
        switch self {
        case .task(let id, _): [id]
        case .chain(let parts), .group(_, let parts): parts.flatMap(\.ids)
        }
    }
}

// MARK: As JSON

extension WorkflowPlan {
    /// `["id", "name"]` of a task, `{"chain": [...]}`, `{"group": "id", "members": [...]}`; of members that are tasks of one name
    /// `{"task": "name", "ids": [...]}`.
    var json: JSON {
        switch self {
        case .task(let id, let name): return [.string(id), .string(name)]
        case .chain(let parts): return ["chain": .array(parts.map(\.json))]
        case .group(let id, let members):
            var written: [JSON] = []
            var name = ""
            var ids: [JSON] = []
            func endRun() {
                if ids.count == 1 { written.append([ids[0], .string(name)]) }
                if ids.count > 1 { written.append(["task": .string(name), "ids": .array(ids)]) }
                ids = []
            }
            for member in members {
                guard case .task(let id, let task) = member else {
                    endRun()
                    written.append(member.json)
                    continue
                }
                if task != name { endRun() }
                name = task
                ids.append(.string(id))
            }
            endRun()
            return ["group": .string(id), "members": .array(written)]
        }
    }

    /// Reads what ``json`` has written; `nil` if it is none.
    init?(_ json: JSON) {
        guard let plan = Self.plans(json).first else { return nil }
        self = plan
    }

    private static func plans(_ json: JSON) -> [WorkflowPlan] {
        if let parts = json.array {
            guard let id = parts.first?.string, let name = parts.last?.string else { return [] }
            return [.task(id: id, name: name)]
        }
        if let parts = json["chain"]?.array { return [.chain(parts.flatMap(plans))] }
        if let id = json["group"]?.string { return [.group(id: id, (json["members"]?.array ?? []).flatMap(plans))] }
        if let name = json["task"]?.string {
            return (json["ids"]?.array ?? []).compactMap(\.string).map { .task(id: $0, name: name) }
        }
        return []
    }
}
