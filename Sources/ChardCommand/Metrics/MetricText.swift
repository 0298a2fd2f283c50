// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// Prometheus' text exposition, version 0.0.4.
enum MetricText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// What a registry holds, one family after the other.
    static func render(_ registry: MetricRegistry) -> String {
        var text = ""
        var family: String?
        for (key, value) in registry.all {
            if key.name != family {
                family = key.name
                if let help = MetricName(rawValue: key.name)?.help { text += "# HELP \(key.name) \(escaped(help))\n" }
                text += "# TYPE \(key.name) \(key.kind.rawValue)\n"
            }
            write(key, value, to: &text)
        }
        return text
    }

    private static func write(_ key: MetricKey, _ value: MetricValue, to text: inout String) {
        let labels = key.labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }
        func line(_ suffix: String, _ more: [String], _ number: Double) {
            let all = labels + more
            let braces = all.isEmpty ? "" : "{\(all.joined(separator: ","))}"
            text += "\(key.name)\(suffix)\(braces) \(Self.number(number))\n"
        }
        guard key.kind == .histogram || key.kind == .summary else { return line("", [], value.sum) }
        if key.kind == .histogram {
            var sum = 0
            for (index, bound) in MetricValue.bounds.enumerated() {
                if !value.buckets.isEmpty { sum += value.buckets[index] }
                line("_bucket", ["le=\"\(number(bound))\""], Double(sum))
            }
            line("_bucket", ["le=\"+Inf\""], Double(value.count))
        }
        line("_sum", [], value.sum)
        line("_count", [], Double(value.count))
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
    }

    /// By Unicode scalars: what looks like one character may hold a line's end.
    static func escaped(_ text: String, quotes: Bool = false) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result.append(contentsOf: "\\\\".unicodeScalars)
            case "\n": result.append(contentsOf: "\\n".unicodeScalars)
            case "\"" where quotes: result.append(contentsOf: "\\\"".unicodeScalars)
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    /// A name as Prometheus takes it: letters, digits, `_` and `:`, no digit first.
    static func name(_ label: String) -> String { sanitized(label, alsoAllowed: ":") }

    /// The same of a label, where `:` is not allowed.
    static func labelName(_ name: String) -> String { sanitized(name, alsoAllowed: nil) }

    private static func sanitized(_ text: String, alsoAllowed: Unicode.Scalar?) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isDigit = ("0"..."9").contains(scalar)
            let isAllowed =
                isDigit || ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_"
                || scalar == alsoAllowed
            if isDigit, result.isEmpty { result.append("_") }
            result.append(isAllowed ? scalar : "_")
        }
        return result.isEmpty ? "_" : String(result)
    }
}
