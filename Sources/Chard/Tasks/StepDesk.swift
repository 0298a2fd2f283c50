// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Where the steps of bodies are kept: given by whoever runs them.
///
/// A class, since each run carries it along and hardly any uses it.
package final class StepDesk: Sendable {
    /// Reads all steps of a task.
    let read: @Sendable (_ record: String) async throws -> [String: [UInt8]]?
    /// Keeps a step; throws if another worker may own the task by now.
    let write: @Sendable (_ record: String, _ name: String, _ result: [UInt8]) async throws -> Void

    /// Reads one value of a record.
    let value: @Sendable (_ name: String, _ record: String) async throws -> [UInt8]?
    /// Reads the status of a task.
    let status: @Sendable (_ id: String) async throws -> TaskStatus?
    /// What adds members to the group of a task; `nil` where none can be added.
    let group: (any GroupDesk)?
    /// Revokes tasks; `nil` where there are no orders.
    let revoke: (@Sendable (_ ids: [String]) async throws -> Void)?

    init(
        read: @escaping @Sendable (_ record: String) async throws -> [String: [UInt8]]?,
        write: @escaping @Sendable (_ record: String, _ name: String, _ result: [UInt8]) async throws -> Void,
        value: @escaping @Sendable (_ name: String, _ record: String) async throws -> [UInt8]?,
        status: @escaping @Sendable (_ id: String) async throws -> TaskStatus?,
        revoke: (@Sendable (_ ids: [String]) async throws -> Void)?, group: (any GroupDesk)?
    ) {
        self.read = read
        self.write = write
        self.value = value
        self.status = status
        self.revoke = revoke
        self.group = group
    }

    /// How long steps are kept from the last one on, if their task does not end before.
    static let timeToLive = Duration.seconds(30 * 86_400)

    /// The record of a task's steps.
    static func record(of id: String) -> String { "steps:\(id)" }

    /// In the message of a task that may have kept steps.
    static let header = HeaderOnTheWay.steps
}

/// What can be done to the group that a task is in. The canvas knows what that takes, and has the one type that conforms.
protocol GroupDesk: Sendable {}

/// The steps of a task, as one of its runs knows them.
struct KnownSteps: Sendable {
    /// The results of those that were done in earlier runs, and in this one.
    var results: [String: [UInt8]]
    /// Those that this run has asked for.
    var asked: Set<String> = []
}

extension TaskContext {
    /// Does a step of this task once, however often the task runs: its result is kept with the task, and a run after a retry or
    /// the loss of a worker takes that in place of doing it again.
    ///
    /// ```swift
    /// app.task("order", options: TaskOptions(retry: .onAnyError)) { (context: TaskContext, order: Order) in
    ///     let charge = try await context.step("charge") { try await bank.charge(order) }
    ///     try await context.step("mail") { try await mail(order, charge) }
    /// }
    /// ```
    /// What a step throws is not kept. A worker that is lost after the step's work and before its result is kept does it again: so a step
    /// is done at least once, and best is what may be done twice. Steps go with their task, or after 30 days; those of a
    /// task that is kept, as a dead letter or by its workflow, stay for when it is sent again.
    /// - Parameters:
    ///   - name: What the step is known by among those of the task: the same in each run.
    ///   - isolation: The actor on which the step is done: the caller's.
    ///   - body: The step.
    /// - Throws: Whatever the step throws; ``AppError`` for a second step of that name in one run, and where the broker keeps no
    ///   records.
    public func step<Value: Codable & Sendable>(
        _ name: String, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
    ) async throws -> Value {
        if let kept = try await kept(name) {
            do {
                return try JSON.decode(Value.self, from: kept)
            } catch {
                throw AppError(
                    "\(task): what is kept of step \"\(name)\" is no \(Value.self): \(error); give a step that returns something "
                        + "else another name")
            }
        }
        let value = try await body()
        try await keep(name, try JSON.encode(value))
        return value
    }

    /// The same for a step without a result.
    public func step(
        _ name: String, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Void
    ) async throws {
        if try await kept(name) != nil { return }
        try await body()
        try await keep(name, Array("null".utf8))
    }
}
