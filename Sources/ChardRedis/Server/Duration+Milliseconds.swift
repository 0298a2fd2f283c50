// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension Duration {
    /// Whole milliseconds, at least 1.
    var milliseconds: Int { max(1, Int((self / .milliseconds(1)).rounded())) }
}
