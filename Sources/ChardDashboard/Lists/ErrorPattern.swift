// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The text of an error without what differs from one to the next of its kind: numbers, ids, and what stands in quotes.
enum ErrorPattern {
    /// More of a text does not matter.
    private static let most = 200

    static func of(_ error: String) -> String {
        var pattern = ""
        var rest = error.prefix(while: { $0 != "\n" }).prefix(most * 2)[...]
        while let character = rest.first, pattern.count < most {
            if character == "\"" || character == "'" || character == "`" {
                if let end = rest.dropFirst().firstIndex(of: character) {
                    pattern += "\(character)…\(character)"
                    rest = rest[rest.index(after: end)...]
                    continue
                }
            }
            let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "-" && $0.isASCII }
            if word.isEmpty {
                pattern.append(character)
                rest = rest.dropFirst()
            } else {
                pattern += varies(word) ? "…" : String(word)
                rest = rest[word.endIndex...]
            }
        }
        return pattern
    }

    /// Whether a word is a number or an id: it has a digit in it.
    private static func varies(_ word: Substring) -> Bool { word.contains(where: \.isNumber) }
}
