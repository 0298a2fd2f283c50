// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// A workflow as lines for people: one for each task, what is within a group moved to the right.
struct WorkflowTree {
    private struct Row {
        var name: String
        var state = ""
        var took = ""
        var id = ""
        var error: String?
    }

    private var rows: [Row] = []
    private let report: WorkflowReport
    private let showsAll: Bool
    private let now: Date
    /// So many members of a group are shown, besides those that run or have failed.
    private static let few = 20

    init(_ report: WorkflowReport, showsAll: Bool, now: Date) {
        self.report = report
        self.showsAll = showsAll
        self.now = now
        add(report.nodes, depth: 1)
    }

    var text: String {
        var head = "workflow \(report.id.printable())  \(report.state.rawValue), \(report.progress)\n"
        head += "sent \(Words.time(report.sentAt))"
        if let end = report.endedAt {
            head += ", took \(Words.duration(end.timeIntervalSince(report.sentAt)))"
        } else {
            head += ", \(Words.duration(now.timeIntervalSince(report.sentAt))) ago"
        }
        let widths = rows.reduce(into: (name: 0, state: 0, took: 0)) { widths, row in
            if !row.state.isEmpty { widths.name = max(widths.name, row.name.count) }
            widths.state = max(widths.state, row.state.count)
            widths.took = max(widths.took, row.took.count)
        }
        func padded(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(0, width - text.count))
        }
        let lines = rows.flatMap { row -> [String] in
            guard !row.state.isEmpty else { return [row.name] }
            let took = String(repeating: " ", count: widths.took - row.took.count) + row.took
            let line = "\(padded(row.name, widths.name))  \(padded(row.state, widths.state))  \(took)  \(row.id)"
            guard let error = row.error else { return [line] }
            let margin = String(repeating: " ", count: row.name.prefix { $0 == " " }.count + 2)
            return [line, margin + error.shortened(to: 160).printable()]
        }
        return ([head] + lines).joined(separator: "\n")
    }

    private mutating func add(_ nodes: [WorkflowReport.Node], depth: Int) {
        let margin = String(repeating: "  ", count: depth)
        for node in nodes {
            switch node {
            case .task(let task):
                // Of what never ran, since something before it has failed, that one says why.
                rows.append(
                    Row(
                        name: margin + task.task.shortened(to: 60).printable(), state: task.words,
                        took: task.seconds(now: now).map(Words.duration) ?? "", id: task.id.printable(),
                        error: task.error))
            case .group(let id, let members):
                var progress = WorkflowProgress()
                for task in node.tasks { progress.add(task.state) }
                rows.append(Row(name: "\(margin)group \(id.printable()): \(progress)"))
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
                if hidden.total > 0 {
                    rows.append(Row(name: "\(margin)  and \(hidden.total) more, \(hidden); --all shows them"))
                }
            case .sent(let parent, let nodes):
                rows.append(Row(name: "\(margin)sent by \(parent.printable()):"))
                add(nodes, depth: depth + 1)
            }
        }
    }
}

extension WorkflowTask {
    /// The state, and Celery's where that says more.
    fileprivate var words: String {
        if state == .waiting, status == .retry { return "waiting (retry)" }
        return state.rawValue
    }
}
