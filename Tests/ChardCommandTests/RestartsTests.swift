// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ChardCommand

@Suite("Restarts of child processes")
struct RestartsTests {
    @Test("a child that ends as it should, or after a while of work, is replaced at once, whatever was before")
    func atOnce() {
        var restarts = Restarts()
        let ends: [Restarts.End] = [
            .orderly, .notReady, .orderly, .notReady, .failed(after: .seconds(10)), .failed(after: .seconds(60)),
        ]
        let delays = ends.map { restarts.delay(after: $0) }
        #expect(delays == [.zero, .milliseconds(500), .zero, .milliseconds(500), .zero, .zero])
    }

    @Test("one that dies at its start is tried again after longer and longer waits, up to half a minute")
    func backoff() {
        var restarts = Restarts()
        let delays = (0..<9).map { _ in restarts.delay(after: .notReady) }
        #expect(delays.prefix(4) == [.milliseconds(500), .seconds(1), .seconds(2), .seconds(4)])
        #expect(delays.last == Restarts.longest)
    }

    @Test("one that dies at its work is replaced at once, the next that does so soon after longer and longer waits")
    func early() {
        var restarts = Restarts()
        let delays = (0..<9).map { _ in restarts.delay(after: .failed(after: .milliseconds(20))) }
        #expect(delays.prefix(5) == [.zero, .milliseconds(500), .seconds(1), .seconds(2), .seconds(4)])
        #expect(delays.last == Restarts.longest)
    }
}
