// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// SipHash-2-4: a short code of a text, which nobody can make who does not know the key.
struct SipHash {
    private var v: (UInt64, UInt64, UInt64, UInt64)

    init(_ first: UInt64, _ second: UInt64) {
        v = (
            first ^ 0x736f_6d65_7073_6575, second ^ 0x646f_7261_6e64_6f6d, first ^ 0x6c79_6765_6e65_7261,
            second ^ 0x7465_6462_7974_6573
        )
    }

    consuming func hash(_ bytes: [UInt8]) -> UInt64 {
        let whole = bytes.count / 8 * 8
        for start in stride(from: 0, to: whole, by: 8) { add(Self.word(bytes[start..<start + 8])) }
        add(Self.word(bytes[whole...]) | UInt64(truncatingIfNeeded: bytes.count) << 56)
        v.2 ^= 0xff
        for _ in 0..<4 { mix() }
        return v.0 ^ v.1 ^ v.2 ^ v.3
    }

    /// Up to eight bytes as a number, the first one the least.
    static func word(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private mutating func add(_ word: UInt64) {
        v.3 ^= word
        mix()
        mix()
        v.0 ^= word
    }

    private mutating func mix() {
        v.0 &+= v.1
        v.1 = Self.rotate(v.1, 13) ^ v.0
        v.0 = Self.rotate(v.0, 32)
        v.2 &+= v.3
        v.3 = Self.rotate(v.3, 16) ^ v.2
        v.0 &+= v.3
        v.3 = Self.rotate(v.3, 21) ^ v.0
        v.2 &+= v.1
        v.1 = Self.rotate(v.1, 17) ^ v.2
        v.2 = Self.rotate(v.2, 32)
    }

    private static func rotate(_ word: UInt64, _ count: UInt64) -> UInt64 { word << count | word >> (64 - count) }
}
