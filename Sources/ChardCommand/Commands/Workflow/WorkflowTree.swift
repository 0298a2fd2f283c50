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
    private let now: Date

    init(_ report: WorkflowReport, showsAll: Bool, now: Date) {
        self.report = report
        self.now = now
        for (depth, row) in WorkflowRows(report, showsAll: showsAll).rows { add(row, depth: depth + 1) }
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

    private mutating func add(_ row: WorkflowRows.Row, depth: Int) {
        let margin = String(repeating: "  ", count: depth)
        switch row {
        case .task(let task):
            // Of what never ran, since something before it has failed, that one says why.
            rows.append(
                Row(
                    name: margin + task.task.shortened(to: 60).printable(), state: task.words,
                    took: task.seconds(now: now).map(Words.duration) ?? "", id: task.id.printable(),
                    error: task.error))
        case .group(let id, let progress): rows.append(Row(name: "\(margin)group \(id.printable()): \(progress)"))
        case .sent(let parent): rows.append(Row(name: "\(margin)sent by \(parent.printable()):"))
        case .hidden(let progress):
            rows.append(Row(name: "\(margin)and \(progress.total) more, \(progress); --all shows them"))
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
