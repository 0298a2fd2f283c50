// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// How long things took: how many of them about how long, in steps that grow, so that it is small however many there are.
package struct Spread: Sendable, Hashable {
    /// Where the steps end, in seconds: from one millisecond on, four to a doubling, so that whatever is read off them is right to a
    /// tenth. Beyond twelve days all is one.
    private static let ends: [Double] = (0..<121).reduce(into: [0.001]) { ends, _ in
        ends.append((ends.last ?? 0) * growth)
    }
    /// The fourth root of two.
    private static let growth = 2.0.squareRoot().squareRoot()

    private var counts: [UInt32] = []
    /// How many there are.
    package private(set) var count = 0

    /// None yet.
    package init() {}

    /// Adds something that took so many seconds.
    package mutating func add(_ seconds: Double) {
        if counts.isEmpty { counts = Array(repeating: 0, count: Self.ends.count) }
        var (low, high) = (0, Self.ends.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if seconds < Self.ends[middle] { high = middle } else { low = middle + 1 }
        }
        counts[low] &+= 1
        count += 1
    }

    /// Adds all of another one.
    package mutating func add(_ other: Spread) {
        guard !other.counts.isEmpty else { return }
        if counts.isEmpty { counts = Array(repeating: 0, count: Self.ends.count) }
        for (step, count) in other.counts.enumerated() { counts[step] &+= count }
        count += other.count
    }

    /// Within how many seconds this share of them was over, about; `nil` where there are none.
    package func quantile(_ share: Double) -> Double? {
        guard count > 0 else { return nil }
        let place = Int((Double(count) * min(1, max(0, share))).rounded(.up))
        var seen = 0
        for (step, count) in counts.enumerated() {
            seen += Int(count)
            guard seen >= max(1, place) else { continue }
            // The middle of the step, as one multiplies.
            return step == 0 ? 0 : Self.ends[step] / Self.growth.squareRoot()
        }
        return nil
    }
}
