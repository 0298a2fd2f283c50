// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ChardCommand

@Suite("Restarts of child processes")
struct RestartsTests {
    @Test("a child that had come to work is replaced at once, whatever was before")
    func atOnce() {
        var restarts = Restarts()
        let delays = [true, false, true, false].map { restarts.delay(wasReady: $0) }
        #expect(delays == [.zero, .milliseconds(500), .zero, .milliseconds(500)])
    }

    @Test("one that dies at its start is tried again after longer and longer waits, up to half a minute")
    func backoff() {
        var restarts = Restarts()
        let delays = (0..<9).map { _ in restarts.delay(wasReady: false) }
        #expect(delays.prefix(4) == [.milliseconds(500), .seconds(1), .seconds(2), .seconds(4)])
        #expect(delays.last == Restarts.longest)
    }
}
