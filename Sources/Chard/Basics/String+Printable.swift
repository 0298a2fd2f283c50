// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension String {
    /// The text with control characters made visible: what came in a message must not steer a terminal or forge a line.
    ///
    /// What is visible stays as it is: done twice it is the same as once.
    package func printable(keepingNewlines: Bool = false) -> String {
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

    /// The text with everything below its first line moved to the right: no line of somebody else's text is to look like one
    /// of ours.
    package func indented(by width: Int = 2) -> String {
        guard utf8.contains(0x0A) else { return self }
        let margin = String(repeating: " ", count: width)
        return split(separator: "\n", omittingEmptySubsequences: false).enumerated().map { index, line in
            index == 0 || line.isEmpty ? String(line) : margin + line
        }.joined(separator: "\n")
    }

    /// The first `limit` characters, with an ellipsis if that is not all.
    package func shortened(to limit: Int) -> String {
        // Bytes first: characters are slow to count.
        utf8.count <= limit || count <= limit ? self : prefix(limit - 1) + "…"
    }
}
