// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Where the content of a string stands, its quotes left out.
struct StringToken {
    let start: Int
    let end: Int
    let hasEscapes: Bool

    var count: Int { end - start }
}

extension JSONScanner {
    /// Passes the string that begins here, checking its escapes and that it is UTF-8.
    mutating func scanString() throws(JSONError) -> StringToken {
        position += 1
        let start = position
        var hasEscapes = false
        while true {
            position = PlainText.end(in: base, from: position, to: end)
            guard position < end else { throw unexpected("the end of the string") }
            let byte = base[position]
            if byte == UInt8(ascii: "\"") {
                position += 1
                return StringToken(start: start, end: position - 1, hasEscapes: hasEscapes)
            } else if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                try skipEscape()
            } else if byte >= 0x80 {
                try skipCharacter()
            } else if byte < 0x20 {
                throw unexpected("an escape in place of a control character")
            } else {
                position += 1
            }
        }
    }

    private mutating func skipEscape() throws(JSONError) {
        guard end - position >= 2 else { throw unexpected("the end of the string", at: end) }
        switch base[position + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
        case UInt8(ascii: "u"):
            guard end - position >= 6, unit(at: position + 2) != nil else {
                throw unexpected("four hexadecimal digits", at: position + 2)
            }
            position += 6
        default:
            throw unexpected("an escape that JSON knows")
        }
    }

    /// The UTF-16 unit written with four hexadecimal digits at `offset`.
    private func unit(at offset: Int) -> UInt16? {
        var unit: UInt16 = 0
        for index in offset..<offset + 4 {
            guard let digit = hexadecimalDigit(base[index]) else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    /// Passes one character beyond ASCII: no overlong form, no surrogate, nothing above U+10FFFF.
    private mutating func skipCharacter() throws(JSONError) {
        let lead = base[position]
        let rest: Int
        var lowest: UInt8 = 0x80
        var highest: UInt8 = 0xBF
        switch lead {
        case 0xC2...0xDF: rest = 1
        case 0xE0...0xEF:
            rest = 2
            if lead == 0xE0 { lowest = 0xA0 }
            if lead == 0xED { highest = 0x9F }
        case 0xF0...0xF4:
            rest = 3
            if lead == 0xF0 { lowest = 0x90 }
            if lead == 0xF4 { highest = 0x8F }
        default: throw unexpected("UTF-8")
        }
        guard end - position > rest, lowest <= base[position + 1], base[position + 1] <= highest else {
            throw unexpected("UTF-8")
        }
        for index in position + 1...position + rest where base[index] & 0xC0 != 0x80 {
            throw unexpected("UTF-8", at: index)
        }
        position += rest + 1
    }

    // MARK: Values

    /// The text of a string, with U+FFFD for each unpaired surrogate.
    func string(_ token: StringToken) -> String {
        let content = UnsafeBufferPointer(start: base + token.start, count: token.count)
        guard token.hasEscapes else { return String(decoding: content, as: UTF8.self) }
        // What an escape stands for is never longer than the escape.
        return String(unsafeUninitializedCapacity: token.count) { unescape(token, into: $0) }
    }

    /// The UTF-8 of a string, with U+FFFD for each unpaired surrogate.
    func bytes(_ token: StringToken) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: token.count) { $1 = unescape(token, into: $0) }
    }

    /// Writes the UTF-8 of a string; returns how many bytes that are.
    private func unescape(_ token: StringToken, into buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var count = 0
        var start = token.start
        // JSON within a string is short pieces between escaped quotes: word by word, up to the first escape by number.
        if let target = buffer.baseAddress {
            while token.end - start >= 8 {
                PlainText.copyWord(from: base + start, to: target + count)
                let passed = PlainText.plainBytes(base, start)
                count += passed
                start += passed
                guard passed < 8 else { continue }
                guard base[start] == UInt8(ascii: "\\") else {
                    target[count] = base[start]
                    count += 1
                    start += 1
                    continue
                }
                guard base[start + 1] != UInt8(ascii: "u") else { break }
                target[count] = plainEscape(base[start + 1])
                count += 1
                start += 2
            }
        }
        unescape(StringToken(start: start, end: token.end, hasEscapes: token.hasEscapes)) { piece in
            _ = UnsafeMutableBufferPointer(rebasing: buffer[count...]).update(fromContentsOf: piece)
            count += piece.count
        }
        return count
    }

    func json(_ token: StringToken) -> JSON {
        guard token.hasEscapes else { return .string(string(token)) }
        let isPaired = unescape(token) { _ in }
        return isPaired ? .string(string(token)) : .unpaired(units(token))
    }

    /// Whether the string has exactly this content; one with escapes never has.
    @inline(__always)
    func matches(_ token: StringToken, _ text: StaticString) -> Bool {
        token.count == text.utf8CodeUnitCount
            && (base + token.start).hasSameBytes(as: text.utf8Start, count: token.count)
    }

    /// Gives the UTF-8 of the string piece by piece; false if it holds unpaired surrogates, given as U+FFFD.
    @discardableResult
    @inline(__always)
    func unescape(_ token: StringToken, _ yield: (UnsafeBufferPointer<UInt8>) -> Void) -> Bool {
        var isPaired = true
        var index = token.start
        while index < token.end {
            let start = index
            index = endOfPlain(from: index, to: token.end)
            if index > start { yield(UnsafeBufferPointer(start: base + start, count: index - start)) }
            guard index < token.end else { break }
            guard base[index + 1] == UInt8(ascii: "u") else {
                withUnsafePointer(to: plainEscape(base[index + 1])) {
                    yield(UnsafeBufferPointer(start: $0, count: 1))
                }
                index += 2
                continue
            }
            let first = unit(at: index + 2) ?? 0
            index += 6
            var scalar = UInt32(first)
            if first & 0xF800 == 0xD800 {
                if first < 0xDC00, let second = trailingSurrogate(at: index, before: token.end) {
                    scalar = 0x10000 + (UInt32(first & 0x3FF) << 10 | UInt32(second & 0x3FF))
                    index += 6
                } else {
                    scalar = 0xFFFD
                    isPaired = false
                }
            }
            let encoded = UTF8.encode(Unicode.Scalar(scalar) ?? "\u{FFFD}") ?? UTF8.encodedReplacementCharacter
            for byte in encoded { withUnsafePointer(to: byte) { yield(UnsafeBufferPointer(start: $0, count: 1)) } }
        }
        return isPaired
    }

    /// Where the next escape begins.
    @inline(__always)
    private func endOfPlain(from start: Int, to end: Int) -> Int {
        var index = start
        while true {
            index = PlainText.end(in: base, from: index, to: end)
            guard index < end, base[index] != UInt8(ascii: "\\") else { return index }
            index += 1
        }
    }

    private func trailingSurrogate(at index: Int, before end: Int) -> UInt16? {
        guard end - index >= 6, base[index] == UInt8(ascii: "\\"), base[index + 1] == UInt8(ascii: "u"),
            let unit = unit(at: index + 2), unit & 0xFC00 == 0xDC00
        else { return nil }
        return unit
    }

    private func plainEscape(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: byte
        }
    }

    /// The UTF-16 units of a string, unpaired surrogates as they are.
    private func units(_ token: StringToken) -> [UInt16] {
        var units: [UInt16] = []
        var index = token.start
        var plainStart = index
        func flush() {
            let plain = UnsafeBufferPointer(start: base + plainStart, count: index - plainStart)
            units.append(contentsOf: String(decoding: plain, as: UTF8.self).utf16)
        }
        while index < token.end {
            guard base[index] == UInt8(ascii: "\\") else {
                index += 1
                continue
            }
            flush()
            if base[index + 1] == UInt8(ascii: "u") {
                units.append(unit(at: index + 2) ?? 0)
                index += 6
            } else {
                units.append(UInt16(plainEscape(base[index + 1])))
                index += 2
            }
            plainStart = index
        }
        flush()
        return units
    }
}

/// The value of a hexadecimal digit of either case.
func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
