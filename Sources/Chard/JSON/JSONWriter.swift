// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Builds JSON text: ASCII only, no white space, as little of it as possible.
struct JSONWriter {
    var bytes: [UInt8] = []

    init(capacity: Int = 0) {
        bytes.reserveCapacity(capacity)
    }

    /// Appends ready text.
    @inline(__always)
    mutating func raw(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends ready text.
    @inline(__always)
    mutating func raw(_ text: ArraySlice<UInt8>) {
        bytes.append(contentsOf: text)
    }

    /// Appends a comma unless this is the first member or element.
    @inline(__always)
    mutating func separate() {
        guard let last = bytes.last, last != UInt8(ascii: "{"), last != UInt8(ascii: "[") else { return }
        bytes.append(UInt8(ascii: ","))
    }

    /// Appends a key that needs no escapes, given with its quotes and colon.
    @inline(__always)
    mutating func key(_ text: StaticString) {
        separate()
        raw(text)
    }

    /// Appends a key.
    mutating func name(_ name: String) {
        separate()
        string(name)
        bytes.append(UInt8(ascii: ":"))
    }

    mutating func bool(_ value: Bool) {
        raw(value ? "true" : "false")
    }

    mutating func integer(_ value: Int) {
        bytes.append(decimal: value)
    }

    mutating func number(_ value: Double) {
        if value.isFinite {
            bytes.append(contentsOf: value.description.utf8)
        } else {
            raw(value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity")
        }
    }

    mutating func string(_ value: String) {
        var value = value
        value.withUTF8 { string(utf8: $0) }
    }

    /// Appends a string given as valid UTF-8.
    mutating func string(utf8 content: UnsafeBufferPointer<UInt8>) {
        bytes.append(UInt8(ascii: "\""))
        var start = appendWords(of: content)
        var index = start
        while index < content.count {
            if let base = content.baseAddress { index = PlainText.end(in: base, from: index, to: content.count) }
            guard index < content.count else { break }
            let byte = content[index]
            if PlainText.contains(byte) {
                index += 1
                continue
            }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: content[start..<index]))
            if byte < 0x80 {
                escape(byte)
                index += 1
            } else {
                index += escapeCharacter(content, at: index)
            }
            start = index
        }
        bytes.append(contentsOf: UnsafeBufferPointer(rebasing: content[start..<index]))
        bytes.append(UInt8(ascii: "\""))
    }

    /// Appends what of a long string needs no escapes but for quotes and backslashes: JSON within a string is short pieces
    /// between these, each of which would cost more than its bytes. Returns how much that is.
    private mutating func appendWords(of content: UnsafeBufferPointer<UInt8>) -> Int {
        guard content.count >= 1_024, let base = content.baseAddress else { return 0 }
        bytes.reserveCapacity(bytes.count + content.count + content.count / 4)
        var index = 0
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4_096) { buffer in
            guard let target = buffer.baseAddress else { return }
            var count = 0
            while content.count - index >= 8 {
                if buffer.count - count < 16 {
                    bytes.append(contentsOf: UnsafeBufferPointer(start: target, count: count))
                    count = 0
                }
                PlainText.copyWord(from: base + index, to: target + count)
                let passed = PlainText.plainBytes(base, index)
                count += passed
                index += passed
                guard passed < 8 else { continue }
                guard base[index] == UInt8(ascii: "\"") || base[index] == UInt8(ascii: "\\") else { break }
                target[count] = UInt8(ascii: "\\")
                target[count + 1] = base[index]
                count += 2
                index += 1
            }
            bytes.append(contentsOf: UnsafeBufferPointer(start: target, count: count))
        }
        return index
    }

    mutating func string(units: [UInt16]) {
        bytes.append(UInt8(ascii: "\""))
        for unit in units {
            switch unit {
            case 0x22, 0x5C, 0..<0x20, 0x7F: escape(UInt8(unit))
            case 0x20..<0x7F: bytes.append(UInt8(unit))
            default: escape(unit: unit)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case 0x22: raw(#"\""#)
        case 0x5C: raw(#"\\"#)
        case 0x08: raw(#"\b"#)
        case 0x0C: raw(#"\f"#)
        case 0x0A: raw(#"\n"#)
        case 0x0D: raw(#"\r"#)
        case 0x09: raw(#"\t"#)
        default: escape(unit: UInt16(byte))
        }
    }

    /// Escapes the character beyond ASCII at `index`; returns how many bytes it takes there.
    private mutating func escapeCharacter(_ content: UnsafeBufferPointer<UInt8>, at index: Int) -> Int {
        func bits(_ offset: Int) -> UInt32 { UInt32(content[index + offset] & 0x3F) }
        let lead = UInt32(content[index])
        if lead < 0xE0 {
            escape(unit: UInt16((lead & 0x1F) << 6 | bits(1)))
            return 2
        }
        if lead < 0xF0 {
            escape(unit: UInt16((lead & 0x0F) << 12 | bits(1) << 6 | bits(2)))
            return 3
        }
        let scalar = (lead & 0x07) << 18 | bits(1) << 12 | bits(2) << 6 | bits(3)
        escape(unit: UInt16(0xD800 + (scalar - 0x10000) >> 10))
        escape(unit: UInt16(0xDC00 + (scalar & 0x3FF)))
        return 4
    }

    private mutating func escape(unit: UInt16) {
        raw(#"\u"#)
        for shift in stride(from: 12, through: 0, by: -4) {
            let digit = UInt8(unit >> UInt16(shift) & 0xF)
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }

    mutating func value(_ value: JSON) {
        switch value {
        case .null: raw("null")
        case .bool(let value): bool(value)
        case .integer(let value): integer(value)
        case .bigInteger(let digits): bytes.append(contentsOf: digits.utf8)
        case .number(let value): number(value)
        case .string(let value): string(value)
        case .unpaired(let units): string(units: units)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                self.value(element)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members): object(members)
        }
    }

    /// Appends an object, its keys sorted, so that equal values make equal text.
    private mutating func object(_ members: [String: JSON]) {
        bytes.append(UInt8(ascii: "{"))
        for (index, name) in members.keys.sorted().enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            string(name)
            bytes.append(UInt8(ascii: ":"))
            value(members[name] ?? .null)
        }
        bytes.append(UInt8(ascii: "}"))
    }
}

extension JSON {
    /// Adds a string as JSON to the end of a text.
    package static func append(_ string: String, to text: inout [UInt8]) {
        var writer = JSONWriter()
        // In turn, so that nothing is copied.
        swap(&writer.bytes, &text)
        writer.string(string)
        swap(&writer.bytes, &text)
    }

    /// The compact text of this value: ASCII only, keys sorted, `1.0` with its fraction, `NaN` and `Infinity` bare.
    public func encoded() -> [UInt8] {
        var writer = JSONWriter()
        writer.value(self)
        return writer.bytes
    }
}
