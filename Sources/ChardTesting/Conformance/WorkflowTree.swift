// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// A random workflow, and in plain code what it comes to.
package indirect enum WorkflowTree: Sendable, CustomStringConvertible {
    /// What becomes of a task.
    package enum Fate: Int, Sendable {
        case succeeds, fails
        /// It fails twice, and then succeeds.
        case retries
    }

    /// With its queue, if it has one of its own.
    case task(name: String, salt: Int, Fate, queue: String? = nil)
    case chain([WorkflowTree])
    case chord([WorkflowTree], body: WorkflowTree)

    /// The name of the task that all are made of; its arguments are an input, a name, a number and a fate.
    package static let task = "tree"

    /// Draws a tree that no task of fails.
    package static func drawn(depth: Int, in name: String, _ random: inout some RandomNumberGenerator) -> WorkflowTree {
        var names = 0
        return drawn(depth: depth, in: name, &names, &random)
    }

    private static func drawn(
        depth: Int, in name: String, _ names: inout Int, _ random: inout some RandomNumberGenerator
    ) -> WorkflowTree {
        func count(_ most: Int) -> Int { Int.random(in: 1...most, using: &random) }
        let kind = depth == 0 ? 0 : Int.random(in: 0..<5, using: &random)
        switch kind {
        case 1, 2:
            return .chain((0..<count(4)).map { _ in drawn(depth: depth - 1, in: name, &names, &random) })
        case 3, 4:
            let header = (0..<count(5)).map { _ in drawn(depth: depth - 1, in: name, &names, &random) }
            return .chord(header, body: drawn(depth: 0, in: name, &names, &random))
        default:
            names += 1
            let fate: Fate = Int.random(in: 0..<15, using: &random) == 0 ? .retries : .succeeds
            return .task(name: "\(name).\(names)", salt: Int.random(in: 0..<1_000, using: &random), fate)
        }
    }

    /// The same with other tasks in the place of its own, which are told by their place among all.
    package func mapTasks(_ change: (_ task: WorkflowTree, _ place: Int) -> WorkflowTree) -> WorkflowTree {
        var place = 0
        return mapTasks(&place, change)
    }

    private func mapTasks(_ place: inout Int, _ change: (WorkflowTree, Int) -> WorkflowTree) -> WorkflowTree {
        switch self {
        case .task:
            defer { place += 1 }
            return change(self, place)
        case .chain(let steps): return .chain(steps.map { $0.mapTasks(&place, change) })
        case .chord(let header, let body):
            let header = header.map { $0.mapTasks(&place, change) }
            return .chord(header, body: body.mapTasks(&place, change))
        }
    }

    /// The same, one of whose tasks fails.
    package func failing(_ random: inout some RandomNumberGenerator) -> WorkflowTree {
        let failing = Int.random(in: 0..<tasks.count, using: &random)
        return mapTasks { task, place in
            guard place == failing, case .task(let name, let salt, _, let queue) = task else { return task }
            return .task(name: name, salt: salt, .fails, queue: queue)
        }
    }

    /// The same, each task on one of these queues.
    package func spread(over queues: [String], _ random: inout some RandomNumberGenerator) -> WorkflowTree {
        let chosen = tasks.map { _ in queues.randomElement(using: &random) }
        return mapTasks { task, place in
            guard case .task(let name, let salt, let fate, _) = task else { return task }
            return .task(name: name, salt: salt, fate, queue: chosen[place])
        }
    }

    /// What it returns when it is called with this; `nil` if it fails.
    package func end(of input: JSON) -> Int? {
        switch self {
        case .task(_, let salt, let fate, _): return fate == .fails ? nil : Self.result(of: input, salt)
        case .chain(let steps):
            var value = input
            for step in steps {
                guard let next = step.end(of: value) else { return nil }
                value = .integer(next)
            }
            return value.integer
        case .chord(let header, let body):
            let results = header.map { $0.end(of: input) }
            let values = results.compactMap { $0.map(JSON.integer) }
            return values.count == results.count ? body.end(of: .array(values)) : nil
        }
    }

    /// What a task makes of its input: another number for each order of the same numbers.
    package static func result(of input: JSON, _ salt: Int) -> Int {
        func folded(_ value: JSON) -> Int {
            if let elements = value.array {
                return elements.enumerated().reduce(7) { ($0 + ($1.offset + 1) * folded($1.element)) % 1_000_003 }
            }
            return value.integer ?? 0
        }
        return (31 * folded(input) + salt) % 1_000_003
    }

    package var workflow: UntypedWorkflow {
        switch self {
        case .task(let name, let salt, let fate, let queue):
            .call(
                Self.task, [.string(name), .integer(salt), .integer(fate.rawValue)], id: "tree-\(name)", queue: queue)
        case .chain(let steps): .chain(steps.map(\.workflow))
        case .chord(let header, let body): .chord(header.map(\.workflow), body: body.workflow)
        }
    }

    /// All its tasks, in order.
    package var tasks: [WorkflowTree] {
        switch self {
        case .task: [self]
        case .chain(let steps): steps.flatMap(\.tasks)
        case .chord(let header, let body): header.flatMap(\.tasks) + body.tasks
        }
    }

    /// The names of the bodies of all chords that run once and succeed.
    var bodies: [String] {
        switch self {
        case .task: []
        case .chain(let steps): steps.flatMap(\.bodies)
        case .chord(let header, .task(let name, _, .succeeds, _)): header.flatMap(\.bodies) + [name]
        case .chord(let header, _): header.flatMap(\.bodies)
        }
    }

    package var description: String {
        switch self {
        case .task(let name, _, let fate, _): fate == .succeeds ? name : "\(name) \(fate)"
        case .chain(let steps): "(" + steps.map(\.description).joined(separator: " | ") + ")"
        case .chord(let header, let body): "[" + header.map(\.description).joined(separator: ", ") + "] > \(body)"
        }
    }
}
