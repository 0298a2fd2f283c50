// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("The digits of a number")
struct DecimalTests {
    @Test(
        "They are those of its description", arguments: [0, 1, 9, 10, 99, 100, 1_779_999_999_999, -1, -10, .max, .min])
    func sameAsDescription(number: Int) {
        var text = Array("x".utf8)
        text.append(decimal: number)
        #expect(String(decoding: text, as: UTF8.self) == "x\(number)")
    }

    @Test("Of any number")
    func anyNumber() {
        for _ in 0..<10_000 {
            let number = Int.random(in: .min ... .max) >> Int.random(in: 0..<64)
            var text: [UInt8] = []
            text.append(decimal: number)
            #expect(String(decoding: text, as: UTF8.self) == String(number))
        }
    }
}
