// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// An app that is set up wrongly, or a call that makes no sense.
public struct AppError: Error, Sendable, CustomStringConvertible {
    /// What is wrong and how to mend it.
    public let description: String

    package init(_ description: String) { self.description = description }
}
