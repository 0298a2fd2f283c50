// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Arguments for people to read, the way Python's `repr` shows them, from their JSON text; cut at 1024 bytes.
struct PythonText {
    private static let limit = 1024
    private static let hiddenValue: StaticString = "'***'"
    private var bytes: [UInt8] = []
    private let texts: ArgumentTexts

    private init(_ texts: ArgumentTexts) { self.texts = texts }

    /// `(2, 3)`, `(2,)`, `()`; `'***'` for the values of hidden parameters.
    static func tuple(
        _ values: [ArraySlice<UInt8>], _ parameters: [Parameter] = [], _ texts: ArgumentTexts = ArgumentTexts()
    ) -> String {
        if values.isEmpty { return "()" }
        var text = PythonText(texts)
        text.append("(")
        for (index, value) in values.enumerated() where !text.isFull {
            if index > 0 { text.append(", ") }
            if index < parameters.count, texts.hides(parameters[index].name) {
                text.append(hiddenValue)
            } else {
                text.append(value)
            }
        }
        text.append(values.count == 1 ? ",)" : ")")
        return text.finish()
    }

    /// `{'x': 2}`, `{}`.
    static func dictionary(_ keywords: [MessageBody.Keyword], _ texts: ArgumentTexts = ArgumentTexts()) -> String {
        if keywords.isEmpty { return "{}" }
        var text = PythonText(texts)
        text.append("{")
        for (index, keyword) in keywords.enumerated() where !text.isFull {
            if index > 0 { text.append(", ") }
            var name = keyword.name
            name.withUTF8 { text.append(quoted: $0) }
            text.append(": ")
            if texts.hides(name) { text.append(hiddenValue) } else { text.append(keyword.value) }
        }
        text.append("}")
        return text.finish()
    }

    /// `'x'`, `5`, `None`: any value.
    static func value(_ json: [UInt8], _ texts: ArgumentTexts = ArgumentTexts()) -> String {
        var text = PythonText(texts)
        text.append(json[...])
        return text.finish()
    }

    private var isFull: Bool { bytes.count > Self.limit }

    private mutating func append(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func append(_ value: ArraySlice<UInt8>) {
        let read: Void? = try? JSONScanner.read(value, limits: MessageLimits.none.message) {
            (scanner) throws(JSONError) in
            try append(&scanner)
        }
        if read == nil { append("...") }
    }

    private mutating func append(_ scanner: inout JSONScanner) throws(JSONError) {
        switch scanner.next() {
        case UInt8(ascii: "\""):
            let token = try scanner.scanString()
            if token.hasEscapes {
                var text = scanner.string(token)
                text.withUTF8 { append(quoted: $0) }
            } else {
                append(quoted: scanner.buffer(token))
            }
        case UInt8(ascii: "{"):
            try scanner.beginObject()
            var separator: StaticString = "{"
            while !isFull, let key = try scanner.nextKey() {
                append(separator)
                separator = ", "
                var name = scanner.string(key)
                name.withUTF8 { append(quoted: $0) }
                append(": ")
                if texts.hides(name) {
                    append(Self.hiddenValue)
                    try scanner.skipValue()
                } else {
                    try append(&scanner)
                }
            }
            append(separator.utf8CodeUnitCount == 1 ? "{}" : "}")
        case UInt8(ascii: "["):
            try scanner.beginArray()
            var separator: StaticString = "["
            while !isFull, try scanner.nextElement() {
                append(separator)
                separator = ", "
                try append(&scanner)
            }
            append(separator.utf8CodeUnitCount == 1 ? "[]" : "]")
        case UInt8(ascii: "t"):
            append("True")
            try scanner.skipValue()
        case UInt8(ascii: "f"):
            append("False")
            try scanner.skipValue()
        case UInt8(ascii: "n"):
            append("None")
            try scanner.skipValue()
        default:
            let start = scanner.position
            switch try scanner.scanNumber() {
            case .number(let value) where !value.isFinite: append(value.isNaN ? "nan" : value < 0 ? "-inf" : "inf")
            default:
                let number = UnsafeBufferPointer(start: scanner.base + start, count: scanner.position - start)
                bytes.append(contentsOf: number.prefix(Self.limit + 1))
            }
        }
    }

    /// Appends a string in single quotes, or in double quotes if it holds only single ones.
    private mutating func append(quoted text: UnsafeBufferPointer<UInt8>) {
        let text = UnsafeBufferPointer(rebasing: text.prefix(Self.limit + 1))
        let single = UInt8(ascii: "'")
        let quote = text.contains(single) && !text.contains(UInt8(ascii: "\"")) ? UInt8(ascii: "\"") : single
        bytes.append(quote)
        for byte in text {
            switch byte {
            case quote, UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x0A: append(#"\n"#)
            case 0x0D: append(#"\r"#)
            case 0x09: append(#"\t"#)
            case 0..<0x20, 0x7F:
                append(#"\x"#)
                for digit in [byte >> 4, byte & 0xF] {
                    bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
                }
            default: bytes.append(byte)
            }
        }
        bytes.append(quote)
    }

    private consuming func finish() -> String {
        guard isFull else { return String(decoding: bytes, as: UTF8.self) }
        var end = Self.limit - 3
        while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return String(decoding: bytes[..<end], as: UTF8.self) + "..."
    }
}
