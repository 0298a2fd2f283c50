// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The standard base64 alphabet with padding, as Celery uses for message bodies.
package enum Base64 {
    /// The bytes that a text stands for; nil if it holds a byte outside the alphabet or is not padded properly.
    static func decode(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        guard text.count > 0 else { return [] }
        var padding = 0
        if text[text.count - 1] == UInt8(ascii: "=") { padding = text[text.count - 2] == UInt8(ascii: "=") ? 2 : 1 }
        let groups = text.count / 4
        let whole = padding == 0 ? groups : groups - 1
        var isValid = true
        let bytes = [UInt8](unsafeUninitializedCapacity: groups * 3) { output, count in
            values.withUnsafeBufferPointer { values in
                var seen: UInt8 = 0
                for group in 0..<whole {
                    let a = values[Int(text[group * 4])]
                    let b = values[Int(text[group * 4 + 1])]
                    let c = values[Int(text[group * 4 + 2])]
                    let d = values[Int(text[group * 4 + 3])]
                    seen |= a | b | c | d
                    output[group * 3] = a << 2 | b >> 4
                    output[group * 3 + 1] = b << 4 | c >> 2
                    output[group * 3 + 2] = c << 6 | d
                }
                count = whole * 3
                if padding > 0 {
                    let a = values[Int(text[whole * 4])]
                    let b = values[Int(text[whole * 4 + 1])]
                    let c = padding == 1 ? values[Int(text[whole * 4 + 2])] : 0
                    seen |= a | b | c
                    output[count] = a << 2 | b >> 4
                    count += 1
                    if padding == 1 {
                        output[count] = b << 4 | c >> 2
                        count += 1
                    }
                }
                isValid = seen < 64
            }
        }
        return isValid ? bytes : nil
    }

    /// The bytes that a text stands for which others wrote: as Python's decoder passes over line breaks and whatever else is
    /// not of the alphabet, and ends at the padding. Beyond that, padding may be missing, and `-` and `_` stand for `+` and
    /// `/`, as in URLs. Nil where single bits are left over.
    static func decodeLeniently(_ text: some Sequence<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in text {
            if byte == UInt8(ascii: "=") {
                // Python goes on behind a sign that comes too early.
                if count % 4 >= 2 { break }
                continue
            }
            let value = byte == UInt8(ascii: "-") ? 62 : byte == UInt8(ascii: "_") ? 63 : values[Int(byte)]
            guard value < 64 else { continue }
            bits = bits << 6 | UInt32(value)
            count += 1
            if count % 4 == 0 {
                bytes += [UInt8(bits >> 16 & 255), UInt8(bits >> 8 & 255), UInt8(bits & 255)]
                bits = 0
            }
        }
        switch count % 4 {
        case 0: break
        case 2: bytes.append(UInt8(bits >> 4 & 255))
        case 3: bytes += [UInt8(bits >> 10 & 255), UInt8(bits >> 2 & 255)]
        default: return nil
        }
        return bytes
    }

    /// The bytes that a text stands for; nil if it holds a byte outside the alphabet or is not padded properly.
    package static func decode(_ text: String) -> [UInt8]? {
        var text = text
        return text.withUTF8 { decode($0) }
    }

    /// Appends the padded text of `bytes`.
    static func append(_ bytes: [UInt8], to output: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: (bytes.count + 2) / 3 * 4) { text in
            bytes.withUnsafeBufferPointer { bytes in
                alphabet.withUnsafeBufferPointer { alphabet in
                    var target = 0
                    var source = 0
                    while source + 2 < bytes.count {
                        let bits =
                            UInt32(bytes[source]) << 16 | UInt32(bytes[source + 1]) << 8 | UInt32(bytes[source + 2])
                        text[target] = alphabet[Int(bits >> 18)]
                        text[target + 1] = alphabet[Int(bits >> 12 & 63)]
                        text[target + 2] = alphabet[Int(bits >> 6 & 63)]
                        text[target + 3] = alphabet[Int(bits & 63)]
                        source += 3
                        target += 4
                    }
                    let rest = bytes.count - source
                    guard rest > 0 else { return }
                    let bits = UInt32(bytes[source]) << 16 | (rest == 2 ? UInt32(bytes[source + 1]) << 8 : 0)
                    text[target] = alphabet[Int(bits >> 18)]
                    text[target + 1] = alphabet[Int(bits >> 12 & 63)]
                    text[target + 2] = rest == 2 ? alphabet[Int(bits >> 6 & 63)] : UInt8(ascii: "=")
                    text[target + 3] = UInt8(ascii: "=")
                }
            }
            output.append(contentsOf: text)
        }
    }

    /// The padded text of `bytes`.
    package static func encode(_ bytes: [UInt8]) -> String {
        var output: [UInt8] = []
        append(bytes, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// What each byte stands for; 255 for those outside the alphabet.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, byte) in alphabet.enumerated() { values[Int(byte)] = UInt8(value) }
        return values
    }()
}
