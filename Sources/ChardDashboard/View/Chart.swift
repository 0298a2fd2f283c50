// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// Charts as SVG, drawn by the server: they need no script, and take their colours from the stylesheet.
enum Chart {
    /// A line of numbers, small enough for a line of text.
    static func spark(_ values: [JSON]) -> String {
        let numbers = values.map { max(0, $0.number ?? 0) }
        guard numbers.count > 1 else { return "" }
        let (width, height) = (120.0, 28.0)
        let most = max(numbers.max() ?? 0, 1e-9)
        let points = numbers.enumerated().map { index, number in
            let x = width * Double(index) / Double(numbers.count - 1)
            return "\(tenths(x)),\(tenths(height - 1 - (height - 3) * number / most))"
        }
        return """
            <svg class="spark" viewBox="0 0 \(Int(width)) \(Int(height))" preserveAspectRatio="none" role="img" \
            aria-label="from \(Wording.count(numbers[0])) to \(Wording.count(numbers[numbers.count - 1])), at most \(Wording.count(most))">\
            <polyline points="\(points.joined(separator: " "))"/></svg>
            """
    }

    /// Bars, each with a name under the pointer: objects with `value`, `bad` (the part of it that is bad) and `label`.
    static func bars(_ values: [JSON]) -> String {
        guard !values.isEmpty else { return "" }
        let (width, height) = (720.0, 120.0)
        let most = max(values.map { $0["value"]?.number ?? 0 }.max() ?? 0, 1e-9)
        let step = width / Double(values.count)
        var bars = ""
        for (index, bar) in values.enumerated() {
            let (value, bad) = (max(0, bar["value"]?.number ?? 0), max(0, bar["bad"]?.number ?? 0))
            let (tall, low) = (height * value / most, height * min(bad, value) / most)
            let x = tenths(step * Double(index) + step * 0.1)
            let label = SafeText.clean(bar["label"]?.string ?? "")
            bars += "<g><title>\(Markup.escape(label))</title>"
            bars +=
                "<rect class=\"space\" x=\"\(x)\" y=\"0\" width=\"\(tenths(step * 0.8))\" height=\"\(Int(height))\"/>"
            for (name, top, size) in [("good", height - tall, tall - low), ("bad", height - low, low)] where size > 0 {
                bars +=
                    "<rect class=\"\(name)\" x=\"\(x)\" y=\"\(tenths(top))\" width=\"\(tenths(step * 0.8))\" height=\"\(tenths(size))\"/>"
            }
            bars += "</g>"
        }
        let first = values[0]["label"]?.string ?? ""
        let last = values[values.count - 1]["label"]?.string ?? ""
        return """
            <svg class="bars" viewBox="0 0 \(Int(width)) \(Int(height))" preserveAspectRatio="none" role="img" \
            aria-label="from \(Markup.escape(first)) to \(Markup.escape(last)), at most \(Wording.count(most))">\(bars)</svg>
            """
    }

    private static func tenths(_ number: Double) -> Double { (number * 10).rounded() / 10 }
}
