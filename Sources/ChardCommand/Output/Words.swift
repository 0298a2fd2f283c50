// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// Numbers and times in words.
enum Words {
    /// `1 message`, `3 messages`.
    static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }

    /// `0.4 s`, `12 s`, `5 min`, `3 h`, `2 d`: as exact as is of interest.
    static func duration(_ seconds: Double) -> String {
        switch seconds {
        case ..<0: "0 s"
        case ..<10:
            if seconds == seconds.rounded() { "\(Int(seconds)) s" } else { "\((seconds * 10).rounded() / 10) s" }
        case ..<120: "\(Int(seconds)) s"
        case ..<7200: "\(Int(seconds / 60)) min"
        case ..<172_800: "\(Int(seconds / 3600)) h"
        default: "\(Int(min(seconds / 86_400, 1e9))) d"
        }
    }

    /// How long until a time: `5 min`, or `12 s overdue` where it is past.
    static func wait(until date: Date, from now: Date) -> String {
        let seconds = date.timeIntervalSince(now).rounded()
        return seconds < 0 ? "\(duration(-seconds)) overdue" : duration(seconds)
    }

    /// `2026-11-21 20:31:53 UTC`.
    static func time(_ date: Date) -> String {
        let text = Timestamp.text(for: date)
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(8)) UTC"
    }
}
