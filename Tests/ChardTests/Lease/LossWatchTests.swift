// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("Nobody is declared lost before watch was kept for a whole lease")
struct LossWatchTests {
    private static let start = ContinuousClock.now
    private var watch = LossWatch(lease: .seconds(12), interval: .seconds(2), began: Self.start)

    // MARK: Heartbeats that expire

    /// When the first look that counts is, of looks at these seconds.
    private func first(_ looks: [Double], connectedAt: Double = -100) -> Double? {
        var watch = watch
        return looks.first {
            watch.looks(at: Self.start + .seconds($0), connectedSince: Self.start + .seconds(connectedAt))
        }
    }

    @Test("a heartbeat that is gone counts after a lease of one's own, over one connection")
    func lease() {
        let looks = (0..<20).map { Double($0) * 2 }
        #expect(first(looks) == 12)
        #expect(first(looks, connectedAt: 7) == 20)
    }

    @Test("and anew after a look that comes late, as after a sleep of the machine")
    func lateForExpiry() {
        #expect(first([2, 4, 6, 8, 10, 40, 42, 44, 46, 48, 50, 51, 52]) == 52)
        #expect(first([2, 8, 12]) == 12)
        #expect(first([2, 8.1, 12, 14, 16, 18, 20.1]) == 20.1)
    }

    @Test("where looks are rare, two may be left out before one is late")
    func rare() {
        watch(interval: 10) { looks in
            #expect(looks(10) == false)
            #expect(looks(40) == true)
        }
        watch(interval: 10) { looks in
            #expect(looks(10) == false)
            #expect(looks(41) == false)
        }
    }

    private func watch(interval: Int, _ body: ((Int) -> Bool) -> Void) {
        var watch = LossWatch(lease: .seconds(12), interval: .seconds(interval), began: Self.start)
        body { watch.looks(at: Self.start + .seconds($0), connectedSince: Self.start) }
    }

    // MARK: Heartbeats that are counted

    private mutating func look(_ second: Int, _ beats: [Int64: Int64]) -> Set<Int64> {
        watch.looks(at: Self.start + .seconds(second), beats: beats)
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
