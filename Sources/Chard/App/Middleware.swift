// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Work around every enqueue and every run: logging, measuring, checks, headers that travel along.
///
/// Both requirements have a default that does nothing but go on. The first middleware added is the outermost.
public protocol Middleware: Sendable {
    /// Stands around the sending of messages: change them, add headers, refuse by throwing. Go on with `next`.
    func enqueue(
        _ messages: [TaskMessage], next: @Sendable ([TaskMessage]) async throws -> Void
    ) async throws

    /// Stands around one run of a task: what `next` throws is what the body threw.
    func run(_ context: TaskContext, next: @Sendable (TaskContext) async throws -> Void) async throws
}

extension Middleware {
    /// Goes on.
    public func enqueue(
        _ messages: [TaskMessage], next: @Sendable ([TaskMessage]) async throws -> Void
    ) async throws {
        try await next(messages)
    }

    /// Goes on.
    public func run(_ context: TaskContext, next: @Sendable (TaskContext) async throws -> Void) async throws {
        try await next(context)
    }
}
