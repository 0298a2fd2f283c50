// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// A graph of a page's document as SVG: see ``WorkflowGraph``. Its links lead from the page of a workflow.
enum GraphDrawing {
    private struct Box {
        let (x, y, width, height): (Double, Double, Double, Double)
        let text, state, note: String
        let id: String?

        init(_ value: JSON) {
            func number(_ name: String) -> Double { value[name]?.number ?? 0 }
            (x, y, width, height) = (number("x"), number("y"), number("width"), number("height"))
            text = value["text"]?.string ?? ""
            state = value["state"]?.string ?? ""
            note = value["note"]?.string ?? ""
            id = value["id"]?.string
        }

        var middle: Double { y + height / 2 }
    }

    static func svg(of graph: JSON) -> String {
        let boxes = (graph["boxes"]?.array ?? []).map(Box.init)
        guard !boxes.isEmpty else { return "" }
        var drawing = ""
        for line in graph["lines"]?.array ?? [] {
            let ends = (line.array ?? []).compactMap(\.integer).filter(boxes.indices.contains)
            guard ends.count == 2 else { continue }
            let (from, to) = (boxes[ends[0]], boxes[ends[1]])
            let start = from.x + from.width
            let bend = (start + to.x) / 2
            drawing +=
                "<path d=\"M\(start) \(from.middle)C\(bend) \(from.middle) \(bend) \(to.middle) \(to.x) \(to.middle)\"/>"
        }
        for box in boxes { drawing += draw(box) }
        let (width, height) = (Int(graph["width"]?.number ?? 0) + 2, Int(graph["height"]?.number ?? 0))
        return """
            <svg class="graph" width="\(width)" height="\(height)" viewBox="-1 0 \(width) \(height)" role="img" \
            aria-label="the tasks of the workflow, and which follow which">\(drawing)</svg>
            """
    }

    private static func draw(_ box: Box) -> String {
        let radius = box.width / 2
        guard !box.text.isEmpty else {
            return "<circle cx=\"\(box.x + radius)\" cy=\"\(box.middle)\" r=\"\(radius)\"/>"
        }
        let drawn = """
            <g class="\(Markup.escape(box.state))"><title>\(Markup.escape(SafeText.clean(box.note, most: 300)))</title>\
            <rect x="\(box.x)" y="\(box.y)" width="\(box.width)" height="\(box.height)" rx="6"/>\
            <text x="\(box.x + 8)" y="\(box.middle + 4.5)">\(Markup.escape(SafeText.clean(short(box.text))))</text></g>
            """
        return box.id.map { "<a href=\"../tasks/\(PercentCoding.encode($0))\">\(drawn)</a>" } ?? drawn
    }

    /// The end of a name says more than its beginning.
    private static func short(_ name: String) -> String { name.count <= 19 ? name : "…\(name.suffix(18))" }
}
