// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Work around every enqueue and every run: logging, measuring, checks, headers that travel along.
///
/// Both requirements have a default that does nothing but go on. The first middleware added is the outermost. Each returns
/// what `next` returned, or a value of its own, or throws: there is no other way to end.
public protocol Middleware: Sendable {
    /// Stands around the sending of messages: change them, leave some out, add others, refuse by throwing. Go on with `next`.
    ///
    /// A message stays the same for its caller, whatever else is changed in it, its id among that, for as long as it keeps
    /// its delivery tag. The caller of one that is left out is told so by its result: see ``MessageDropped``.
    func enqueue(
        _ messages: [TaskMessage], next: @Sendable ([TaskMessage]) async throws -> Enqueued
    ) async throws -> Enqueued

    /// Stands around one run of a task: what `next` throws is what the body threw.
    func run(
        _ context: TaskContext, next: @Sendable (TaskContext) async throws -> RunResult
    ) async throws -> RunResult
}

extension Middleware {
    /// Goes on.
    public func enqueue(
        _ messages: [TaskMessage], next: @Sendable ([TaskMessage]) async throws -> Enqueued
    ) async throws -> Enqueued {
        try await next(messages)
    }

    /// Goes on.
    public func run(
        _ context: TaskContext, next: @Sendable (TaskContext) async throws -> RunResult
    ) async throws -> RunResult {
        try await next(context)
    }
}
