// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ChardRedis

@Suite("Nobody is declared lost before watch was kept for a whole lease")
struct VigilTests {
    private let start = ContinuousClock.now

    /// When the first look that counts is, of looks at these seconds.
    private func first(_ looks: [Double], connectedAt: Double = -100) -> Double? {
        var vigil = Vigil(lease: .seconds(12), interval: .seconds(2), began: start)
        return looks.first {
            vigil.looks(at: start + .seconds($0), connectedSince: start + .seconds(connectedAt))
        }
    }

    @Test("of an identity of its own, and over one connection")
    func lease() {
        let looks = (0..<20).map { Double($0) * 2 }
        #expect(first(looks) == 12)
        #expect(first(looks, connectedAt: 7) == 20)
    }

    @Test("and begins anew after a look that comes late, as after a sleep of the machine")
    func late() {
        #expect(first([2, 4, 6, 8, 10, 40, 42, 44, 46, 48, 50, 51, 52]) == 52)
        #expect(first([2, 8, 12]) == 12)
        #expect(first([2, 8.1, 12, 14, 16, 18, 20.1]) == 20.1)
    }
}
