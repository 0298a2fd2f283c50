// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// How a workflow stands, or one of its tasks.
public enum WorkflowState: String, Sendable, Hashable, Codable {
    /// Nothing of it has begun.
    case waiting
    /// It has begun, and is not over.
    case running
    /// It is over, and has a result.
    case succeeded
    /// It is over: it has failed, or something that it waited for has.
    case failed
    /// It was called off.
    case cancelled

    /// Whether nothing more comes of it by itself.
    public var isOver: Bool { self != .waiting && self != .running }
}

/// How many tasks of a workflow stand how.
public struct WorkflowProgress: Sendable, Hashable, CustomStringConvertible {
    /// How many wait for others, for their time, or for a worker.
    public var waiting = 0
    /// How many run now.
    public var running = 0
    /// How many have succeeded.
    public var succeeded = 0
    /// How many have failed, or will never run since something before them has.
    public var failed = 0
    /// How many were called off.
    public var cancelled = 0

    /// Nothing.
    public init() {}

    /// How many there are.
    public var total: Int { waiting + running + done }
    /// How many are over, one way or the other.
    public var done: Int { succeeded + failed + cancelled }

    /// `7 of 12 done, 1 failed, 2 running`.
    public var description: String {
        var text = "\(done) of \(total) done"
        for (count, word) in [(failed, "failed"), (cancelled, "cancelled"), (running, "running")] where count > 0 {
            text += ", \(count) \(word)"
        }
        return text
    }

    package mutating func add(_ state: WorkflowState) {
        switch state {
        case .waiting: waiting += 1
        case .running: running += 1
        case .succeeded: succeeded += 1
        case .failed: failed += 1
        case .cancelled: cancelled += 1
        }
    }
}

/// One task of a workflow.
public struct WorkflowTask: Sendable, Hashable {
    /// Its id.
    public var id: String
    /// Its name.
    public var task: String
    /// The group that it is a member of, the innermost.
    public var group: String?
    /// How it stands.
    public var state: WorkflowState
    /// Celery's state, as it is stored; `nil` where nothing is.
    public var status: TaskState?
    /// Since when it could have begun: since what it waits for was over; of one that runs, since when it does, where its worker says
    /// so.
    public var since: Date?
    /// When it was over.
    public var endedAt: Date?
    /// What it has failed of.
    public var error: String?
    /// The ids of the tasks that it waits for, where it is a step of a ``Flow``. What waits for what elsewhere, ``WorkflowReport/nodes``
    /// says.
    public var after: [String] = []

    /// How many seconds it took, from when it could have begun to its end, or until now.
    public func seconds(now: Date) -> Double? {
        guard let since, state != .waiting else { return nil }
        return max(0, (endedAt ?? now).timeIntervalSince(since))
    }
}

/// What a workflow is made of, and how far it has come.
public struct WorkflowReport: Sendable, Hashable {
    /// A task, or several at once.
    public indirect enum Node: Sendable, Hashable {
        /// One task.
        case task(WorkflowTask)
        /// A group: of each member what runs one after the other.
        case group(id: String, members: [[Node]])
        /// What was sent by the body of a task, or in the place of one.
        case sent(by: String, [Node])
    }

    /// The id of the workflow: its root's.
    public var id: String
    /// How the whole stands.
    public var state: WorkflowState
    /// When it was sent.
    public var sentAt: Date
    /// When it was over.
    public var endedAt: Date?
    /// How many of its tasks stand how.
    public var progress: WorkflowProgress
    /// Its tasks, one after the other, as they stand within one another.
    public var nodes: [Node]

    /// Its tasks, in their order.
    public var tasks: [WorkflowTask] { nodes.flatMap(\.tasks) }
}

extension WorkflowReport.Node {
    /// The tasks in it.
    public var tasks: [WorkflowTask] {
        switch self {
        case .task(let task): [task]
        case .group(_, let members): members.flatMap { $0.flatMap(\.tasks) }
        case .sent(_, let nodes): nodes.flatMap(\.tasks)
        }
    }
}

/// Puts together what a plan says and what is known of its tasks. A value.
struct WorkflowSurvey {
    let statuses: [String: TaskStatus]
    /// Since when tasks run, as their workers say.
    let running: [String: Date]
    let isCancelled: Bool

    func report(of id: String, _ parts: [WorkflowRecord.Part]) -> WorkflowReport {
        let parts = parts.sorted { $0.sentAt < $1.sentAt }
        var main: [WorkflowReport.Node] = []
        var nodes: [WorkflowReport.Node] = []
        for part in parts {
            let found = sequence(part.plan, since: part.sentAt)
            if let parent = part.parent {
                nodes.append(.sent(by: parent, found))
            } else {
                main += found
                nodes += found
            }
        }
        var progress = WorkflowProgress()
        let tasks = nodes.flatMap(\.tasks)
        for task in tasks { progress.add(task.state) }
        var state = Self.state(of: main.isEmpty ? nodes : main)
        if isCancelled, state != .succeeded { state = .cancelled }
        return WorkflowReport(
            id: id, state: state, sentAt: parts.first?.sentAt ?? Date(timeIntervalSince1970: 0),
            endedAt: state.isOver ? tasks.compactMap(\.endedAt).max() : nil, progress: progress, nodes: nodes)
    }

    /// What runs one after the other, none of it before `start`.
    private func sequence(_ plan: WorkflowPlan, since start: Date?, group: String? = nil) -> [WorkflowReport.Node] {
        switch plan {
        case .task(let id, let name): return [.task(task(id, name, group, since: start))]
        case .group(let id, let members):
            return [.group(id: id, members: members.map { sequence($0, since: start, group: id) })]
        case .chain(let parts):
            var nodes: [WorkflowReport.Node] = []
            var since = start
            for part in parts {
                let found = sequence(part, since: since, group: group)
                nodes += found
                since = found.last?.end
            }
            return Self.inferring(nodes)
        }
    }

    private func task(_ id: String, _ name: String, _ group: String?, since start: Date?) -> WorkflowTask {
        let status = statuses[id]
        var task = WorkflowTask(id: id, task: name, group: group, state: .waiting, status: status?.state)
        task.since = start
        switch status?.state {
        case .success?: task.state = .succeeded
        case .failure?:
            task.state = .failed
            task.error = status?.exception.map { "\($0)" } ?? ""
        case .revoked?: task.state = .cancelled
        case let state? where state != .pending && state != .retry && state != TaskState(rawValue: "RECEIVED"):
            task.state = .running
        default: break
        }
        if task.state.isOver {
            task.endedAt = status?.dateDone
        } else if let since = running[id] {
            task.state = .running
            task.since = since
        } else if task.state == .waiting, isCancelled {
            task.state = .cancelled
        }
        return task
    }

    /// What has something behind it that ran, has succeeded, though its status may be forgotten by now, or was never kept.
    private static func inferring(_ nodes: [WorkflowReport.Node]) -> [WorkflowReport.Node] {
        guard let last = nodes.lastIndex(where: { $0.hasRun }) else { return nodes }
        return nodes.enumerated().map { index, node in
            guard index < last, case .task(var task) = node, task.state == .waiting else { return node }
            task.state = .succeeded
            return .task(task)
        }
    }

    /// How what runs one after the other stands: as the last of it, but that it may have begun.
    static func state(of nodes: [WorkflowReport.Node]) -> WorkflowState {
        guard let last = nodes.last else { return .succeeded }
        let state = last.state
        if state != .waiting { return state }
        return nodes.contains { $0.state != .waiting } ? .running : .waiting
    }
}

extension WorkflowReport.Node {
    /// How it stands as a whole.
    var state: WorkflowState {
        switch self {
        case .task(let task): return task.state
        case .group(_, let members):
            let states = members.map(WorkflowSurvey.state)
            if states.contains(where: { !$0.isOver }) {
                return states.contains { $0 != .waiting } ? .running : .waiting
            }
            return states.first { $0 == .cancelled } ?? states.first { $0 == .failed } ?? .succeeded
        case .sent(_, let nodes): return WorkflowSurvey.state(of: nodes)
        }
    }

    fileprivate var hasRun: Bool {
        switch self {
        case .task(let task): task.state == .succeeded || task.state == .running
        case .group, .sent: tasks.contains { $0.state == .succeeded || $0.state == .running }
        }
    }

    /// When it was over.
    fileprivate var end: Date? {
        switch self {
        case .task(let task): task.endedAt
        case .group, .sent: tasks.compactMap(\.endedAt).max()
        }
    }
}
