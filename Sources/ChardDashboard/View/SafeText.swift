// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Text from messages and errors, such that it can be shown: it may hold anything.
enum SafeText {
    /// More of one text is not shown in a page.
    static let most = 20_000

    /// The text without what a page must not hold.
    ///
    /// - Control characters and marks that turn the direction of writing become pictures of themselves, so that a text cannot
    ///   look like another one. Line ends and tabs stay.
    /// - Mustache's escaping goes by characters, so that it does not know a quote that a combining mark follows. A space without
    ///   width between them makes two characters of it.
    static func clean(_ text: String, most: Int = most) -> String {
        var clean = ""
        var count = 0
        for character in text {
            count += 1
            if count > most { return clean + "… (\(text.count - most) more characters)" }
            let scalars = character.unicodeScalars
            guard scalars.count > 1 else {
                for scalar in scalars { append(scalar, to: &clean) }
                continue
            }
            let isSplit = scalars.contains { "<>&\"'".unicodeScalars.contains($0) }
            for scalar in scalars {
                append(scalar, to: &clean)
                if isSplit { clean.unicodeScalars.append("\u{200B}") }
            }
        }
        return clean
    }

    private static func append(_ scalar: Unicode.Scalar, to text: inout String) {
        switch scalar.value {
        case 0x09, 0x0A: text.unicodeScalars.append(scalar)
        // Pictures of control characters, in their order.
        case 0x00...0x1F: text.unicodeScalars.append(Unicode.Scalar(0x2400 + scalar.value) ?? "\u{FFFD}")
        case 0x7F: text.unicodeScalars.append("\u{2421}")
        case 0x80...0x9F, 0x202A...0x202E, 0x2066...0x2069, 0x200E, 0x200F:
            text += "⟨\(String(scalar.value, radix: 16, uppercase: true))⟩"
        default: text.unicodeScalars.append(scalar)
        }
    }
}
