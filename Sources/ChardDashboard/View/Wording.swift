// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// Numbers and times in words.
enum Wording {
    /// `1 234 567`, `0.25`.
    static func count(_ number: Double) -> String {
        guard number == number.rounded(), abs(number) < 1e15 else { return "\((number * 100).rounded() / 100)" }
        let digits = String(Int(abs(number)))
        var grouped = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { grouped += "\u{202F}" }
            grouped.append(digit)
        }
        return number < 0 ? "-" + grouped : grouped
    }

    /// `1.5 MB`.
    static func bytes(_ number: Double) -> String {
        var (value, unit) = (number, "bytes")
        for next in ["kB", "MB", "GB", "TB"] where value >= 1_000 {
            (value, unit) = (value / 1_000, next)
        }
        return unit == "bytes" ? "\(Int(value)) bytes" : "\((value * 10).rounded() / 10) \(unit)"
    }

    /// `12 ms`, `5 min`; the history has whole milliseconds, so that none at all is less than one.
    static func span(_ seconds: Double) -> String {
        if seconds == 0 { return "< 1 ms" }
        guard seconds.isFinite else { return "?" }
        if seconds == seconds.rounded(), 1..<10 ~= seconds { return "\(Int(seconds)) s" }
        return Duration.seconds(min(max(0, seconds), 1e12)).wording
    }

    /// `5 min ago`.
    static func ago(_ date: Date, now: Date) -> String {
        let seconds = now.timeIntervalSince(date)
        return seconds < -1 ? until(date, now: now) : seconds < 1 ? "now" : "\(span(seconds.rounded())) ago"
    }

    /// `in 5 min`, `12 s late`.
    static func until(_ date: Date, now: Date) -> String {
        let seconds = date.timeIntervalSince(now)
        return seconds < -1 ? "\(span((-seconds).rounded())) late" : "in \(span(max(1, seconds.rounded())))"
    }

    /// `2026-11-21 20:31:53 UTC`.
    static func time(_ date: Date) -> String {
        let text = Timestamp.text(for: date)
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(8)) UTC"
    }
}
