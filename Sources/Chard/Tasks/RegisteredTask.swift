// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A task as the worker knows it: its name, its options, and its body with the types hidden.
///
/// A class, since each run holds one, and all runs of a task the same.
public final class RegisteredTask: Sendable {
    /// The name that messages call it by.
    public let name: String
    /// What holds for every call.
    public let options: TaskOptions
    /// Each parameter in order: its name, where it has one, and its type: `x: Int`.
    public let signature: [String]
    /// Whether the body blocks its thread, and so runs on the worker's thread pool.
    public let isBlocking: Bool

    let parameters: [Parameter]
    let problems: [String]
    /// How often this process has begun to run it.
    let runs = RunCount()
    let run: @Sendable (TaskContext, MessageBody) async throws -> [UInt8]

    init(
        name: String, options: TaskOptions, signature: [String], isBlocking: Bool, parameters: [Parameter],
        problems: [String], run: @escaping @Sendable (TaskContext, MessageBody) async throws -> [UInt8]
    ) {
        self.name = name
        self.options = options
        self.signature = signature
        self.isBlocking = isBlocking
        self.parameters = parameters
        self.problems = problems
        self.run = run
    }
}

/// A number that many runs count up.
final class RunCount: Sendable {
    private let number = Atomic(0)

    var value: Int { number.load(ordering: .relaxed) }

    func add() { number.add(1, ordering: .relaxed) }
}
