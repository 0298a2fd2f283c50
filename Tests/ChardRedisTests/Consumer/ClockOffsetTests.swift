// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ChardRedis

@Suite("The offset of the server's clock")
struct ClockOffsetTests {
    @Test(
        "a slow answer is no wrong clock, a wrong clock is told by the middle of question and answer",
        arguments: [
            (100.0, 100.0, 100.5, 0.0), (100.0, 100.4, 100.5, 0.0), (100.0, 3_700.5, 101.0, 3_600.0),
            (3_700.0, 100.5, 3_701.0, -3_600.0),
        ])
    func offset(asked: Double, server: Double, answered: Double, offset: Double) {
        #expect(ClockOffset.between(asked, server, answered) == offset)
    }
}
