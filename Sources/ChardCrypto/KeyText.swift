// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// What the texts of keys have in common: `NAME:KIND:BASE64`.
struct KeyText {
    let id: String
    let kind: String
    let bytes: [UInt8]

    /// Takes a text apart.
    /// - Throws: ``AppError`` that says what is wrong, and nothing of the key.
    init(_ text: String, example: String) throws(AppError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3 else {
            throw AppError(
                "a key has \(parts.count) parts between colons, expected 3: NAME:KIND:BASE64, such as \(example)")
        }
        try Self.check(name: parts[0])
        guard let bytes = Base64.decode(parts[2]) else {
            throw AppError("the key \(parts[0]) is not base64 behind its second colon, such as \(example)")
        }
        (id, kind, self.bytes) = (parts[0], parts[1], bytes)
    }

    /// Whether a text may be the name of a key: it travels in messages, between colons.
    static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    static func check(name: String) throws(AppError) {
        guard isName(name) else {
            throw AppError("a key's name must be 1 to 64 letters, digits, dots, dashes and underlines, such as 2026b")
        }
    }

    /// The texts that a list holds, separated by commas or any blank space, with no comments: lines that begin with `#`.
    static func list(_ text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).filter { $0.first { !$0.isWhitespace } != "#" }
            .flatMap { $0.split { $0 == "," || $0.isWhitespace } }.map(String.init)
    }

    /// No two keys may have one name: it decides by which of them a message is judged.
    static func checkNames(_ ids: [String]) throws(AppError) {
        var seen: Set<String> = []
        for id in ids where !seen.insert(id).inserted {
            throw AppError(
                "two keys have the name \(id); each needs a name of its own, which others must know it by, too")
        }
    }
}
