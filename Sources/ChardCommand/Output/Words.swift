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

    /// `2026-11-21 20:31:53 UTC`.
    static func time(_ date: Date) -> String {
        let text = Timestamp.text(for: date)
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(8)) UTC"
    }
}

extension String {
    /// The text with control characters made visible: what came in a message must not steer a terminal or forge a line.
    func printable(keepingNewlines: Bool = false) -> String {
        let isPlain = utf8.allSatisfy { (0x20..<0x7F).contains($0) || keepingNewlines && $0 == 0x0A }
        if isPlain { return self }
        var result = ""
        for scalar in unicodeScalars {
            if scalar == "\n" && keepingNewlines {
                result.unicodeScalars.append(scalar)
            } else if scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format {
                result += scalar.escaped(asASCII: true)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// The first `limit` characters, with an ellipsis if that is not all.
    func shortened(to limit: Int) -> String {
        count <= limit ? self : prefix(limit - 1) + "…"
    }
}
