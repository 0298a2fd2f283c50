// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// Bytes of any kind, such that they can be looked at: as text where they are text, else in hexadecimal.
enum RawBytes {
    /// More of a message is not shown.
    static let most = 16 << 10
    /// So much around a place is shown.
    private static let around = 160

    static func document(_ bytes: [UInt8]) -> JSON {
        let shown = Array(bytes.prefix(most))
        // A character may have been cut in two.
        let cuts = bytes.count > most ? 0..<4 : 0..<1
        let text = cuts.lazy.compactMap { String(validating: shown.dropLast($0), as: UTF8.self) }.first
        return [
            "size": .integer(bytes.count), "is_text": .bool(text != nil), "is_cut": .bool(bytes.count > most),
            "text": .string(text ?? hex(shown)),
        ]
    }

    /// The surroundings of a place in a message, in three parts.
    static func place(_ offset: Int, in bytes: [UInt8]) -> JSON {
        let offset = min(max(0, offset), bytes.count)
        let (first, last) = (max(0, offset - around), min(bytes.count, offset + 1 + around))
        let isText = bytes[first..<last].allSatisfy { (0x20..<0x7F).contains($0) || $0 == 0x0A || $0 == 0x09 }
        func part(_ range: Range<Int>) -> JSON {
            let part = bytes[range]
            return .string(
                isText ? String(decoding: part, as: UTF8.self) : part.map(digits).joined(separator: " "))
        }
        let end = min(offset + 1, last)
        return [
            "offset": .integer(offset), "is_text": .bool(isText), "before": part(first..<offset),
            "there": offset == bytes.count ? "(the end)" : part(offset..<end), "after": part(end..<last),
        ]
    }

    /// Sixteen bytes a line: the offset, the bytes, and the characters that they are.
    static func hex(_ bytes: [UInt8]) -> String {
        stride(from: 0, to: bytes.count, by: 16).map { start in
            let line = bytes[start..<min(start + 16, bytes.count)]
            let offset = String(start, radix: 16)
            let characters = line.map { (0x20..<0x7F).contains($0) ? Character(Unicode.Scalar($0)) : "." }
            let codes = line.map(digits).joined(separator: " ")
            return String(repeating: "0", count: max(0, 6 - offset.count)) + offset + "  " + codes
                + String(repeating: " ", count: 48 - codes.count) + String(characters)
        }.joined(separator: "\n")
    }

    private static func digits(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}
