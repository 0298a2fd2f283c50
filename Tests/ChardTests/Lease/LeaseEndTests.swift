// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("The end of a lease")
struct LeaseEndTests {
    private let start = ContinuousClock.now
    private var lease: Lease

    init() {
        lease = Lease(LeaseClock(lease: .seconds(10), renewedAt: start))
    }

    private func code(_ second: Int) -> BrokerError.Code? {
        lease.trouble(at: start + .seconds(second), of: "w")?.code
    }

    @Test("it ends when it is not renewed in time")
    mutating func lapse() {
        #expect(code(8) == nil)
        #expect(code(9) == .leaseLost)
        lease.renewed(sentAt: start + .seconds(5))
        #expect(code(9) == nil)
    }

    @Test("once it was ended, no renewal brings it back, and only the first to end it is told so")
    mutating func end() {
        let ended = [lease.end(), lease.end()]
        #expect(ended == [true, false])
        lease.renewed(sentAt: start + .seconds(5))
        #expect(code(6) == .leaseLost)
        #expect(!lease.holds(at: start))
    }

    @Test("it is closed once, whether it was over before or not")
    mutating func close() {
        let closed = [lease.close(), lease.close()]
        #expect(closed == [true, false])
        #expect(code(0) == .leaseLost)
    }

    @Test("a failure is told while it holds, and afterwards")
    mutating func failure() {
        lease.fail(BrokerError(.damaged, "nothing comes"))
        #expect(code(0) == .damaged)
        #expect(code(20) == .damaged)
        #expect(lease.holds(at: start))
    }
}
