// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import HTTPTypes

/// Times as people write them in a filter: `30m`, `1h`, `2d`, or a point in time.
enum TimeFilter {
    static let expected = "30m, 1h, 2d, or a time such as 2026-11-21T20:31"

    /// A length of time, in seconds; `nil` where the text is none.
    static func seconds(_ text: String) -> Double? {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let unit = text.last.flatMap({ units[$0] }), let number = Double(text.dropLast()),
            number.isFinite, number >= 0, number * unit <= 1e10
        else { return nil }
        return number * unit
    }

    /// So long ago, or the point in time.
    /// - Throws: ``PageError``, which names the filter.
    static func past(_ name: String, _ text: String, now: Date) throws -> Date {
        if let seconds = seconds(text) { return now.addingTimeInterval(-seconds) }
        guard let date = Timestamp.date(from: text) else { throw wrong(name, text) }
        return date
    }

    /// In so long, or the point in time.
    /// - Throws: ``PageError``, which names the field.
    static func future(_ name: String, _ text: String, now: Date) throws -> Date {
        let words = text.hasPrefix("+") ? String(text.dropFirst()) : text
        if let seconds = seconds(words) { return now.addingTimeInterval(seconds) }
        guard let date = Timestamp.date(from: text) else { throw wrong(name, text) }
        return date
    }

    private static func wrong(_ name: String, _ text: String) -> PageError {
        PageError(.badRequest, "The filter \"\(name)\" is \"\(text.prefix(100))\"; it must be \(expected).")
    }
}
