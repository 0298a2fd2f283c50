// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ChardSQLite

@Suite("Telling who is lost")
struct LossWatchTests {
    private let start = ContinuousClock.now
    private var watch = LossWatch(lease: .seconds(12))

    private mutating func look(_ second: Int, _ beats: [Int64: Int64]) -> Set<Int64> {
        watch.looked(at: start + .seconds(second), beats: beats)
    }

    @Test("a beat that stands still for a lease is lost; one that goes on is not")
    mutating func standstill() {
        for second in stride(from: 0, to: 12, by: 2) {
            let lost = look(second, [1: 7, 2: Int64(second)])
            #expect(lost.isEmpty)
        }
        let lost = look(12, [1: 7, 2: 99])
        #expect(lost == [1])
    }

    @Test("a lease begins anew with each beat")
    mutating func beats() {
        for second in stride(from: 0, through: 20, by: 2) {
            let lost = look(second, [1: second < 10 ? 1 : 2])
            #expect(lost.isEmpty)
        }
        let lost = look(22, [1: 2])
        #expect(lost == [1])
    }

    @Test("a look that comes late proves nothing: the others may have been kept from beating, too")
    mutating func late() {
        for second in [0, 2, 4] { _ = look(second, [1: 7]) }
        let afterwards = look(60, [1: 7])
        #expect(afterwards.isEmpty)
        for second in stride(from: 62, to: 72, by: 2) {
            let lost = look(second, [1: 7])
            #expect(lost.isEmpty)
        }
        let lost = look(72, [1: 7])
        #expect(lost == [1])
    }

    @Test("who is gone is forgotten")
    mutating func gone() {
        for second in stride(from: 0, through: 10, by: 2) { _ = look(second, [1: 7]) }
        _ = look(12, [:])
        let lost = look(14, [1: 7])
        #expect(lost.isEmpty)
    }
}
