// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("The lease's clock")
struct LeaseClockTests {
    private let start = ContinuousClock.now

    @Test("trusts a lease for less time than the broker grants", arguments: [(0.0, true), (10.7, true), (10.9, false)])
    func trust(seconds: Double, holds: Bool) {
        let clock = LeaseClock(lease: .seconds(12), renewedAt: start)
        #expect(clock.holds(at: start + .seconds(seconds)) == holds)
    }

    @Test("counts from the sending of a renewal, and never backwards")
    func renewal() {
        var clock = LeaseClock(lease: .seconds(10), renewedAt: start)
        clock.renewed(sentAt: start + .seconds(5))
        #expect(clock.holds(at: start + .seconds(13)))
        // The answer to an earlier renewal may come late.
        clock.renewed(sentAt: start + .seconds(1))
        #expect(clock.holds(at: start + .seconds(13)))
        #expect(!clock.holds(at: start + .seconds(15)))
        #expect(clock.endsAt == start + .seconds(14))
    }
}
