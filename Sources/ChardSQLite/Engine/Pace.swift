// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// How long transactions have taken lately.
struct Pace {
    private var mean = Duration.zero

    /// Whether they are so short that a caller may well wait for one in a thread of Swift's pool, which others need as well.
    var isQuick: Bool { mean < .milliseconds(1) }

    mutating func took(_ duration: Duration) {
        mean += (duration - mean) / 8
    }
}
