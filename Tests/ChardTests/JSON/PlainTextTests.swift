// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("Plain text is passed many bytes at a time")
struct PlainTextTests {
    @Test("it ends before the first byte that needs an escape, wherever that stands", arguments: 0...255)
    func end(byte: Int) {
        let special = UInt8(byte)
        for length in [1, 7, 8, 9, 31, 32, 33, 71] {
            for place in 0..<length {
                var text = [UInt8](repeating: UInt8(ascii: "~"), count: length)
                text[place] = special
                let end = text.withUnsafeBufferPointer { text in
                    text.baseAddress.map { PlainText.end(in: $0, from: 0, to: length) } ?? 0
                }
                let isPlain = PlainText.contains(special)
                #expect(isPlain ? end <= length && length - end < 8 : end <= place && place - end < 8)
                // Nothing special is passed, and at it the passing stops where eight bytes can be seen at once.
                if !isPlain, place + 8 <= length { #expect(end == place) }
            }
        }
    }

    @Test("a string is escaped and read back, whatever stands among long plain pieces", arguments: 0..<40)
    func roundTrip(seed: Int) throws {
        var random = SystemRandomNumberGenerator()
        let pieces = ["x", "plain text of some length", "\"", "\\", "\n", "\u{7F}", "ä", "😀", "\u{0}", "]["]
        let text = (0..<seed * 3).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
        let json = JSON.string(text)
        #expect(try JSON(parsing: json.encoded()) == json)
    }
}
