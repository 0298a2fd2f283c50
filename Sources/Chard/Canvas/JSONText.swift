// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Pieces of JSON text that are taken apart and put together without being decoded.
enum JSONText {
    static let null = Array("null".utf8)[...]

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    /// The elements of an array; `nil` if it is none.
    static func elements(_ text: ArraySlice<UInt8>) -> [ArraySlice<UInt8>]? {
        try? JSONScanner.read(text, limits: .held) { (scanner) throws(JSONError) in
            var elements: [ArraySlice<UInt8>] = []
            try scanner.beginArray()
            while try scanner.nextElement() { elements.append(text.piece(try scanner.valueRange())) }
            try scanner.finish()
            return elements
        }
    }

    /// The elements of an array that are strings.
    static func texts(_ text: ArraySlice<UInt8>) -> [String] {
        (elements(text) ?? []).compactMap { (try? JSON(parsing: $0))?.string }
    }

    /// An array of these elements.
    static func array(_ elements: [ArraySlice<UInt8>]) -> ArraySlice<UInt8> {
        var writer = JSONWriter(capacity: elements.reduce(2) { $0 + $1.count + 1 })
        writer.raw("[")
        for (index, element) in elements.enumerated() {
            if index > 0 { writer.raw(",") }
            writer.raw(element)
        }
        writer.raw("]")
        return writer.bytes[...]
    }

    static func string(_ value: String) -> ArraySlice<UInt8> {
        var writer = JSONWriter(capacity: value.utf8.count + 2)
        writer.string(value)
        return writer.bytes[...]
    }

    static func integer(_ value: Int) -> ArraySlice<UInt8> { Array("\(value)".utf8)[...] }
}

extension ArraySlice<UInt8> {
    /// The part at these offsets, which count from the slice's start.
    func piece(_ range: Range<Int>) -> ArraySlice<UInt8> {
        self[startIndex + range.lowerBound..<startIndex + range.upperBound]
    }
}
