// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ChardSQLite

@Suite("Sharing a claim among queues")
struct SharesTests {
    @Test(
        "one of each in turn, until the room is used up",
        arguments: [
            ([5], 3, [3]), ([5], 9, [5]), ([5, 5], 4, [2, 2]), ([5, 5], 5, [3, 2]), ([1, 9], 6, [1, 5]),
            ([0, 2, 0], 7, [0, 2, 0]), ([3, 1, 9], 100, [3, 1, 9]), ([], 4, []), ([2, 2, 2], 1, [1, 0, 0]),
            ([1_000_000, 1_000_000], 999_999, [500_000, 499_999]),
        ])
    func shares(_ available: [Int], _ room: Int, _ expected: [Int]) {
        #expect(Shares.of(available, room: room) == expected)
    }

    @Test("lines are interleaved")
    func interleaved() {
        #expect(Shares.interleaved([[1, 2, 3], [4], [5, 6]]) == [1, 4, 5, 2, 6, 3])
        #expect(Shares.interleaved([[1, 2]]) == [1, 2])
        #expect(Shares.interleaved([[Int]]()) == [])
    }
}
