// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What is done to each of many, by its id.
struct BatchStep: Sendable {
    /// What became of one.
    enum End: Sendable, Hashable {
        case changed
        /// Nothing was done: why.
        case refused(String)
    }

    /// In words, for the batch's page and the log: `retry`, `cancel`.
    let deed: String
    /// One id after the other is given to it, several at the same time. Done twice, it does nothing the second time.
    let perform: @Sendable (String) async throws -> End
}
