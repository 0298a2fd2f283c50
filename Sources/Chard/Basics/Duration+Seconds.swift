// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension Duration {
    /// The duration in seconds, with its fraction.
    package var seconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }

    /// Seconds that others wrote; `nil` beyond 300 years either way, where reckoning with them could overflow.
    init?(untrusted seconds: Double) {
        guard abs(seconds) < 1e10 else { return nil }
        self = .seconds(seconds)
    }
}
