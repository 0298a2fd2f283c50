// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ServiceLifecycle

/// A way to the result of one call, typed by its task. Celery's name for it.
public struct AsyncResult<Output: Sendable>: Sendable, CustomStringConvertible {
    /// The task's id.
    public let id: String
    /// What became of the message when it was sent; `nil` if this was made from an id, or the message was left out by
    /// middleware.
    public let placement: Placement?
    /// The id of the workflow whose last task this is, where that was sent here: its root's, see ``Chard/workflow(_:)``.
    public internal(set) var workflowID: String?

    let app: Chard
    let prospect: ResultProspect
    let decode: @Sendable ([UInt8]) throws -> Output

    /// The id.
    public var description: String { id }

    /// The status as it is now; the state is PENDING where nothing is stored: unknown, waiting, or forgotten.
    /// - Throws: ``MessageDropped`` if there will never be one, for this and all that is asked here.
    public func status() async throws -> TaskStatus {
        try prospect.checkSent()
        return try await app.results.status(of: id) ?? TaskStatus(id: id, state: .pending)
    }

    /// The stored status, then each new one, pushed as it is stored. Ends with an error, when the broker is shut down or
    /// refuses; without one, when the service that asks is to shut down gracefully; not by itself.
    public func statuses() throws -> AsyncThrowingStream<TaskStatus, any Error> {
        try prospect.checkSent()
        // Else a server waits for its streams, the streams for the broker, and the broker for the server.
        let statuses = try app.results.statuses(of: id).cancelOnGracefulShutdown()
        return AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    for try await status in statuses { continuation.yield(status) }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    /// Waits for the result: pushed by the broker, not polled for.
    ///
    /// - Parameter timeout: How long to wait; `nil` sets no limit. To look without waiting, use ``status()``.
    /// - Throws: ``TaskError`` with the remote type, message and traceback if the task failed or was revoked;
    ///   ``ResultTimeout`` if there was no result in time; ``AppError`` at once if the call keeps no result, and
    ///   ``MessageDropped`` if it was not sent; ``BrokerError`` if the broker refuses, holds something unreadable, or is shut
    ///   down. The loss of a connection is waited through.
    public func value(timeout: Duration? = nil) async throws -> Output {
        let status = try await finalStatus(timeout: timeout)
        switch status.state {
        case .success:
            return try decode(Array(status.resultText))
        default:
            throw status.error ?? TaskError(status.state.rawValue, "the stored result is no error object")
        }
    }

    /// Waits until the task has succeeded, failed or been revoked, and returns its status, whichever it is.
    public func finalStatus(timeout: Duration? = nil) async throws -> TaskStatus {
        try prospect.checkSent()
        if case .ignored = prospect {
            throw AppError("task \(id) was sent with ignoresResult: there will be nothing to wait for")
        }
        let store = try app.results
        let answer = FirstAnswer<TaskStatus, any Error>()
        let end = store.watchStatus(id) { news in
            if case .success(let status) = news, !status.state.isReady { return }
            answer.give(news)
        }
        defer { end() }
        let executor = store.power(.threads)?.controlExecutor
        let timer = timeout.map { [id] timeout in
            answer.fail(with: ResultTimeout(id: id, waited: timeout), after: timeout, on: executor)
        }
        defer { timer?.cancel() }
        return try await answer.value()
    }

    /// Deletes what is stored of the task. Returns whether there was anything.
    @discardableResult
    public func forget() async throws -> Bool {
        try await app.results.forget(id)
    }
}

/// What can be expected of a call's result.
enum ResultProspect: Sendable {
    case kept
    /// The caller has said that none is to be kept.
    case ignored
    /// There will be none.
    indirect case dropped(MessageDropped)

    func checkSent() throws(MessageDropped) {
        if case .dropped(let dropped) = self { throw dropped }
    }
}

/// There was no result in time. The task may still run.
public struct ResultTimeout: Error, Sendable, CustomStringConvertible {
    /// The task's id.
    public let id: String
    /// How long was waited.
    public let waited: Duration

    /// What happened, and what to look at.
    public var description: String {
        "no result of task \(id) within \(waited); is a worker running that serves its queue?"
    }
}

extension TaskStatus {
    /// The failure, where the state is one and the store holds an error object.
    public var error: TaskError? {
        exception.map { TaskError($0, traceback: traceback, taskID: id) }
    }
}
