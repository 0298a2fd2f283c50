// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What came of a number of rounds of one row.
public struct FaultOutcome: Sendable {
    /// How many rounds there were.
    public var rounds = 0
    /// Enqueues that the broker acknowledged.
    public var sent = 0
    /// Of these, how many came to no end.
    public var lost = 0
    /// Runs that began while another run of the same task went on.
    public var overlapping = 0
    /// Runs beyond the first of each task.
    public var again = 0
    /// From each fault to the next start of each task that it hit, or of one that was sent since, in seconds.
    public var recoveries: [Double] = []
    /// What else was not as it should be.
    public var problems: [String] = []
    /// What is worth telling, though all is well.
    public var notes: [String] = []

    /// Nothing yet.
    public init() {}

    /// Adds the outcome of further rounds.
    public static func += (left: inout FaultOutcome, right: FaultOutcome) {
        left.rounds += right.rounds
        left.sent += right.sent
        left.lost += right.lost
        left.overlapping += right.overlapping
        left.again += right.again
        left.recoveries += right.recoveries
        left.problems += right.problems
        left.notes += right.notes
    }

    /// The recovery that so many of all were not slower than: 0.5 is the median.
    public func recovery(_ share: Double) -> Double? {
        guard !recoveries.isEmpty else { return nil }
        let sorted = recoveries.sorted()
        return sorted[min(sorted.count - 1, Int((Double(sorted.count) * share).rounded(.up)) - 1)]
    }
}
