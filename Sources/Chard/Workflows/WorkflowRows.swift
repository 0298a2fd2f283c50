// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A workflow as rows for people: one for each task, what is within a group deeper than the group. Of large groups only some.
package struct WorkflowRows {
    package enum Row: Sendable {
        case task(WorkflowTask)
        case group(id: String, WorkflowProgress)
        /// What the body of a task has sent, or what takes its place.
        case sent(by: String)
        /// Members of a group that are not shown.
        case hidden(WorkflowProgress)
    }

    /// The rows with their depths, from 0.
    package private(set) var rows: [(depth: Int, row: Row)] = []
    private let showsAll: Bool
    /// So many members of a group are shown, besides those that run or have failed.
    private static let few = 20

    package init(_ report: WorkflowReport, showsAll: Bool) {
        self.showsAll = showsAll
        add(report.nodes, depth: 0)
    }

    private mutating func add(_ nodes: [WorkflowReport.Node], depth: Int) {
        for node in nodes {
            switch node {
            case .task(let task): rows.append((depth, .task(task)))
            case .group(let id, let members):
                var progress = WorkflowProgress()
                for task in node.tasks { progress.add(task.state) }
                rows.append((depth, .group(id: id, progress)))
                var quiet = 0
                var hidden = WorkflowProgress()
                for member in members {
                    let isOfInterest = member.flatMap(\.tasks).contains { $0.state == .running || $0.state == .failed }
                    if !isOfInterest { quiet += 1 }
                    guard showsAll || isOfInterest || quiet <= Self.few else {
                        for task in member.flatMap(\.tasks) { hidden.add(task.state) }
                        continue
                    }
                    add(member, depth: depth + 1)
                }
                if hidden.total > 0 { rows.append((depth + 1, .hidden(hidden))) }
            case .sent(let parent, let nodes):
                rows.append((depth, .sent(by: parent)))
                add(nodes, depth: depth + 1)
            }
        }
    }
}
