// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// A workflow as boxes and lines, each with its place: what runs one after the other stands from left to right, the members of a group
/// below one another, and what the body of a task has sent below all that. Of large groups some members stand for the others. The steps
/// of a flow stand in layers, each to the right of all that it waits for.
struct WorkflowGraph {
    struct Box {
        var x = 0.0
        var y = 0.0
        /// A name, or how many are not shown; empty for the point at which the members of one group go on to those of the next.
        var text = ""
        var state = ""
        var id: String?
        /// What a pointer on it tells.
        var note = ""

        var width: Double { text.isEmpty ? 8 : WorkflowGraph.boxWidth }
    }

    private indirect enum Part {
        case box(Box)
        case members([[Part]])
        case steps(FlowLayers)
    }

    static let boxWidth = 150.0
    static let boxHeight = 30.0
    private static let (gap, line) = (34.0, 38.0)
    /// So many members of a group are shown, and as many more of those that run or have failed.
    private static let few = 6

    private(set) var boxes: [Box] = []
    /// From which box to which.
    private(set) var lines: [(from: Int, to: Int)] = []
    private(set) var width = 0.0
    private(set) var height = 0.0

    init(_ report: WorkflowReport) {
        var main: [WorkflowReport.Node] = []
        var rows: [[Part]] = []
        for node in report.nodes {
            guard case .sent(let parent, let nodes) = node else {
                main.append(node)
                continue
            }
            let origin = Box(text: "sent by", state: "quiet", id: parent, note: "sent by \(parent)")
            rows.append([.box(origin)] + Self.parts(nodes))
        }
        if !main.isEmpty { rows.insert(Self.parts(main), at: 0) }
        for row in rows where !row.isEmpty {
            let size = Self.size(row)
            place(row, x: 0, y: height, height: size.height)
            width = max(width, size.width - Self.gap)
            height += size.height
        }
    }

    // MARK: What is shown

    private static func parts(_ nodes: [WorkflowReport.Node]) -> [Part] {
        var parts: [Part] = []
        for node in nodes {
            switch node {
            case .task(let task): parts.append(.box(Box(task)))
            case .group(_, let members):
                if let layers = FlowLayers(members) {
                    parts.append(.steps(layers))
                    continue
                }
                let shown = Self.shown(members)
                if shown.isEmpty { continue }
                if case .members? = parts.last { parts.append(.box(Box())) }
                parts.append(.members(shown))
            case .sent(_, let nodes): parts += Self.parts(nodes)
            }
        }
        return parts
    }

    private static func shown(_ members: [[WorkflowReport.Node]]) -> [[Part]] {
        var shown: [[Part]] = []
        var hidden = WorkflowProgress()
        var (quiet, urgent) = (0, 0)
        for member in members where !member.isEmpty {
            let tasks = member.flatMap(\.tasks)
            let isUrgent = tasks.contains { $0.state == .running || $0.state == .failed }
            if isUrgent { urgent += 1 } else { quiet += 1 }
            if isUrgent ? urgent <= few : quiet <= few {
                shown.append(parts(member))
            } else {
                for task in tasks { hidden.add(task.state) }
            }
        }
        if hidden.total > 0 {
            shown.append([.box(Box(text: "and \(hidden.total) more", state: "quiet", note: "\(hidden)"))])
        }
        return shown
    }

    // MARK: Where it stands

    private static func size(_ parts: [Part]) -> (width: Double, height: Double) {
        parts.reduce((0, line)) { sum, part in
            switch part {
            case .box(let box): return (sum.0 + box.width + gap, sum.1)
            case .steps(let layers):
                let width = Double(layers.layers.count) * (boxWidth + gap)
                return (sum.0 + width, max(sum.1, Double(layers.height) * line))
            case .members(let members):
                let sizes = members.map(size)
                return (
                    sum.0 + (sizes.map(\.width).max() ?? 0), max(sum.1, sizes.reduce(0) { $0 + $1.height })
                )
            }
        }
    }

    /// Places parts in a strip of this height. Returns the boxes that it begins and ends with.
    @discardableResult
    private mutating func place(_ parts: [Part], x: Double, y: Double, height: Double) -> (first: [Int], last: [Int]) {
        var (x, first, last) = (x, [Int](), [Int]())
        for part in parts {
            var (begin, end) = ([Int](), [Int]())
            switch part {
            case .box(var box):
                (box.x, box.y) = (x, y + (height - Self.boxHeight) / 2)
                boxes.append(box)
                (begin, end) = ([boxes.count - 1], [boxes.count - 1])
                x += box.width + Self.gap
            case .members(let members):
                let sizes = members.map(Self.size)
                var top = y + (height - sizes.reduce(0) { $0 + $1.height }) / 2
                for (member, size) in zip(members, sizes) {
                    let ends = place(member, x: x, y: top, height: size.height)
                    begin += ends.first
                    end += ends.last
                    top += size.height
                }
                x += sizes.map(\.width).max() ?? 0
            case .steps(let layers):
                (begin, end) = place(layers, x: x, y: y, height: height)
                x += Double(layers.layers.count) * (Self.boxWidth + Self.gap)
            }
            if first.isEmpty { first = begin }
            for from in last { for to in begin { lines.append((from, to)) } }
            last = end
        }
        return (first, last)
    }

    /// Places the steps of a flow, and draws what waits for what. Returns those that wait for none, and those that none waits for.
    private mutating func place(
        _ layers: FlowLayers, x: Double, y: Double, height: Double
    ) -> (first: [Int], last: [Int]) {
        var numbers: [String: Int] = [:]
        var ends: Set<Int> = []
        for (column, steps) in layers.layers.enumerated() {
            var top = y + (height - Double(steps.count) * Self.line) / 2
            for step in steps {
                var box = Box(step)
                box.x = x + Double(column) * (Self.boxWidth + Self.gap)
                box.y = top + (Self.line - Self.boxHeight) / 2
                top += Self.line
                numbers[step.id] = boxes.count
                ends.insert(boxes.count)
                boxes.append(box)
            }
        }
        for step in layers.layers.joined() {
            for from in step.after.compactMap({ numbers[$0] }) {
                if let to = numbers[step.id] { lines.append((from, to)) }
                ends.remove(from)
            }
        }
        return ((layers.layers.first ?? []).compactMap { numbers[$0.id] }, ends.sorted())
    }
}

extension WorkflowGraph.Box {
    fileprivate init(_ task: WorkflowTask) {
        let note = ["\(task.task), \(task.state.rawValue)", task.error].compactMap { $0 }.joined(separator: ": ")
        self.init(text: task.task, state: task.state.rawValue, id: task.id, note: note)
    }
}

extension WorkflowGraph {
    /// As pages have it: boxes with their places, and lines as pairs of the numbers of boxes.
    var document: JSON {
        [
            "width": .number(width), "height": .number(height),
            "boxes": .array(
                boxes.map { box in
                    [
                        "x": .number(box.x), "y": .number(box.y), "width": .number(box.width),
                        "height": .number(Self.boxHeight), "text": .string(box.text), "state": .string(box.state),
                        "id": box.id.map(JSON.string) ?? .null, "note": .string(box.note),
                    ]
                }),
            "lines": .array(lines.map { [.integer($0.from), .integer($0.to)] }),
        ]
    }
}
