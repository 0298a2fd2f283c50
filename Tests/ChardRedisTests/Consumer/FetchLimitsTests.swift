// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ChardRedis

@Suite("How much a server is asked for that closes connections")
struct FetchLimitsTests {
    /// Closes whatever is asked for until single messages are, and returns how often that took.
    private func narrowed(_ limits: inout FetchLimits, at index: Int = 0) -> Int {
        var count = 0
        while limits.page("a", index).bytes > 1 {
            limits.closed("a", index)
            count += 1
        }
        return count
    }

    @Test("less and less at a time, down to single messages")
    func less() {
        var limits = FetchLimits(message: 1_000_000)
        #expect(narrowed(&limits) < 10)
        #expect(limits.page("a", 0) == (1, 1_000_000))
        // Claims go on with many small ones.
        #expect(limits.claim.bytes >= 65_536)
    }

    @Test("a single message that never comes is given up, and whatever has its size")
    func givenUp() {
        var limits = FetchLimits(message: 10_000_000)
        _ = narrowed(&limits)
        for _ in 0..<FetchLimits.patience {
            #expect(limits.page("a", 7) == (1, 10_000_000))
            #expect(limits.fetched("a", 7, excerptOf: nil) == nil)
            limits.closed("a", 7)
        }
        #expect(limits.page("a", 7) == (1, FetchLimits.least))
        // Only that one: another place may hold one that comes, and what comes from there says nothing.
        #expect(limits.page("a", 0) == (1, 10_000_000) && limits.page("b", 7) == (1, 10_000_000))
        #expect(limits.fetched("a", 0, excerptOf: nil) == nil)
        #expect(limits.fetched("a", 7, excerptOf: 3_000_000) == 3_000_000)
        #expect(limits.page("a", 0).message == 2_999_999 && limits.claim.message == 2_999_999)
        #expect(limits.page("a", 0).bytes > 1)
    }

    @Test("losses at different places give up nothing, nor does one of a small message")
    func elsewhere() {
        var limits = FetchLimits(message: 10_000_000)
        _ = narrowed(&limits)
        for index in 0..<9 { limits.closed("a", index) }
        #expect(limits.page("a", 8).message == 10_000_000)
        for _ in 0..<FetchLimits.patience { limits.closed("a", 1) }
        // It was small, and is here whole.
        #expect(limits.fetched("a", 1, excerptOf: nil) == nil)
        #expect(limits.page("a", 1).message == 10_000_000)
    }

    @Test("what is too large anyhow teaches nothing")
    func tooLarge() {
        var limits = FetchLimits(message: 1_000)
        _ = narrowed(&limits)
        for _ in 0..<FetchLimits.patience { limits.closed("a", 0) }
        #expect(limits.fetched("a", 0, excerptOf: 2_000) == nil)
        #expect(limits.page("a", 0).message == 1_000)
    }
}
