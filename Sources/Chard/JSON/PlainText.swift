// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The characters that stand in a JSON string as they are: printable ASCII without the quote and the backslash.
enum PlainText {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// Passes many bytes at a time: where the first byte that is not plain stands, or a place less than eight before `end`.
    @inline(__always)
    static func end(in base: UnsafePointer<UInt8>, from start: Int, to end: Int) -> Int {
        var position = start
        // Most strings are short: four words at a time only where one has shown to be long.
        for _ in 0..<3 {
            guard end - position >= 8 else { return position }
            let passed = plainBytes(base, position)
            position += passed
            guard passed == 8 else { return position }
        }
        while end - position >= 32 {
            let marks =
                special(in: word(base, position)) | special(in: word(base, position + 8))
                | special(in: word(base, position + 16)) | special(in: word(base, position + 24))
            guard marks == 0 else { break }
            position += 32
        }
        while end - position >= 8 {
            let passed = plainBytes(base, position)
            position += passed
            guard passed == 8 else { break }
        }
        return position
    }

    /// How many of the next eight bytes come before the first that is not plain.
    @inline(__always)
    static func plainBytes(_ base: UnsafePointer<UInt8>, _ position: Int) -> Int {
        // No mark: 64 zero bits.
        special(in: word(base, position)).trailingZeroBitCount >> 3
    }

    /// Copies eight bytes.
    @inline(__always)
    static func copyWord(from source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>) {
        UnsafeMutableRawPointer(target).storeBytes(
            of: UnsafeRawPointer(source).loadUnaligned(as: UInt64.self), as: UInt64.self)
    }

    @inline(__always)
    private static func word(_ base: UnsafePointer<UInt8>, _ position: Int) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(base + position).loadUnaligned(as: UInt64.self))
    }

    @inline(__always)
    static func contains(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    /// A byte's high bit is set where the byte is not plain. Borrows and carries can set bits too many, but only above the
    /// first true one, and the first is all that is used.
    @inline(__always)
    private static func special(in word: UInt64) -> UInt64 {
        let quotes = word ^ (ones &* 0x22)
        let backslashes = word ^ (ones &* 0x5C)
        let found =
            ((quotes &- ones) & ~quotes) | ((backslashes &- ones) & ~backslashes)
            | ((word &- (ones &* 0x20)) & ~word) | (word &+ ones) | word
        return found & highs
    }
}
