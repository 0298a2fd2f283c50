// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A task as the worker knows it: its name, its options, and its body with the types hidden.
public struct RegisteredTask: Sendable {
    /// The name that messages call it by.
    public let name: String
    /// What holds for every call.
    public let options: TaskOptions
    /// Each parameter in order: its name, where it has one, and its type: `x: Int`.
    public let signature: [String]
    /// Whether the body blocks its thread, and so runs on the worker's thread pool.
    public let isBlocking: Bool

    let problems: [String]
    let run: @Sendable (TaskContext, MessageBody) async throws -> [UInt8]
}
