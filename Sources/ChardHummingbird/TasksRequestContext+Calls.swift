// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Hummingbird

extension TasksRequestContext {
    /// Runs a task in this process once the response has been sent: behind what this request has left before.
    ///
    /// It takes the same way as in a worker, retries and time limits included, but there is no message and no result: it ends with the
    /// process. ``enqueue(_:_:)`` is the same with a worker.
    /// - Throws: `AppError` where the task is not registered in this program.
    public func background<Output, each Argument>(
        _ task: TaskHandle<Output, repeat each Argument>, _ arguments: repeat each Argument
    ) throws {
        _ = try tasks.surroundings()
        tasks.add(try task.signature(repeat each arguments).local(in: task.app))
    }

    /// Enqueues a task: a worker runs it, it outlives this process, and it has a status.
    ///
    /// Where the ``TasksMiddleware`` was made with ``Jobs``, its id is a ticket, too, unless the task keeps no result: that costs one
    /// more write.
    @discardableResult
    public func enqueue<Output, each Argument>(
        _ task: TaskHandle<Output, repeat each Argument>, _ arguments: repeat each Argument
    ) async throws -> AsyncResult<Output> {
        let signature = try task.signature(repeat each arguments)
        let jobs = task.options.ignoresResult ? nil : tasks.jobs
        return try await tasks.sending {
            guard let jobs else { return try await task.app.enqueue(signature) }
            return try await jobs.tickets.give(for: signature)
        }
    }

    /// Enqueues a task and makes the answer for the client: `202 Accepted` with the place of its job.
    ///
    /// The answer has `Location: <jobs>/<id>`, `Retry-After`, and `{"id", "status", "links"}` in JSON.
    /// - Throws: `AppError` where the ``TasksMiddleware`` was made without ``Jobs``.
    public func accepted<Output, each Argument>(
        _ task: TaskHandle<Output, repeat each Argument>, _ arguments: repeat each Argument
    ) async throws -> Response {
        try await accepted(task.signature(repeat each arguments))
    }

    /// The same for a call with options of its own: `accepted(decide.signature(request, queue: "slow"))`.
    public func accepted<Output>(_ signature: Signature<Output>) async throws -> Response {
        guard let jobs = try tasks.surroundings().jobs else {
            throw AppError("nowhere to redeem a ticket: make the TasksMiddleware with the Jobs that the router has")
        }
        return try await tasks.sending { try await jobs.accept(signature) }
    }
}
