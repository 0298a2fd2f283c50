// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension Chard {
    /// The version of Chard that a program was built with.
    public static let version = "0.2.0"
}
