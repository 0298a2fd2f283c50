// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension Duration {
    /// `0.4 ms`, `12 ms`, `1.3 s`, `45 s`, `5 min`, `3 h`, `2 d`: as exact as is of interest.
    package var wording: String {
        let seconds = max(0, seconds)
        func tenths(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
        return switch seconds {
        case ..<0.001: "\(tenths(seconds * 1000)) ms"
        case ..<0.9995: "\(Int((seconds * 1000).rounded())) ms"
        case ..<9.95: "\(tenths(seconds)) s"
        case ..<120: "\(Int(seconds.rounded())) s"
        case ..<7_200: "\(Int(seconds / 60)) min"
        case ..<172_800: "\(Int(seconds / 3_600)) h"
        default: "\(Int(min(seconds / 86_400, 1e9))) d"
        }
    }
}
