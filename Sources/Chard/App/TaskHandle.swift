// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A task as its callers know it: what it takes, what it returns, and how to send it.
///
/// Registering a task gives one; ``Chard/reference(_:taking:returning:options:)`` gives one for a task whose code is elsewhere, be it
/// Swift or Python.
public struct TaskHandle<Output: Sendable, each Argument: Codable & Sendable>: Sendable {
    /// The name that messages call it by.
    public let name: String
    /// The app it belongs to.
    public let app: Chard
    /// What holds for every call.
    public let options: TaskOptions

    let coder: ArgumentCoder<repeat each Argument>
    let decodeOutput: @Sendable ([UInt8]) throws -> Output

    /// Sends the task, and returns a way to its result as soon as the broker has the message:
    /// `add.enqueue(2, 3, in: .seconds(30), queue: "math")`.
    ///
    /// - Parameters:
    ///   - arguments: The arguments, as the body takes them.
    ///   - countdown: Runs the task no sooner than this long after the call.
    ///   - eta: Runs the task no sooner than this.
    ///   - queue: The queue.
    ///   - priority: Celery's priority on Redis, 0 (first) to 9 (last).
    ///   - expires: The task does not start later than this long after the call.
    ///   - id: The task's id; `nil` makes a fresh UUID.
    ///   - options: These and all others, for what is rarely said of a single call. What is said here, too, wins.
    @discardableResult
    public func enqueue(
        _ arguments: repeat each Argument, in countdown: Duration? = nil, at eta: Date? = nil, queue: String? = nil,
        priority: Int? = nil, expires: Duration? = nil, id: String? = nil, options: EnqueueOptions = EnqueueOptions()
    ) async throws -> AsyncResult<Output> {
        var options = options
        options.take(in: countdown, at: eta, queue: queue, priority: priority, expires: expires, id: id)
        return try await app.enqueue(signature(options, repeat each arguments))
    }

    /// Sends the task, and returns once so many replicas of the broker's server have taken the message:
    /// `charge.enqueue(order, durability: .replicas(1))`.
    ///
    /// - Throws: ``NotReplicated`` where they have not in time: the message was sent all the same, and sending it again needs
    ///   the same id. ``AppError`` where the broker has no replicas.
    @discardableResult
    public func enqueue(
        _ arguments: repeat each Argument, durability: Durability, id: String? = nil,
        options: EnqueueOptions = EnqueueOptions()
    ) async throws -> AsyncResult<Output> {
        var options = options
        options.durability = durability
        if let id { options.id = id }
        return try await app.enqueue(signature(options, repeat each arguments))
    }

    /// The call as a value, to be sent later or together with others: ``Chard/enqueue(_:)-([Signature<Output>])``. The
    /// options are those of ``enqueue(_:in:at:queue:priority:expires:id:options:)``.
    public func signature(
        _ arguments: repeat each Argument, in countdown: Duration? = nil, at eta: Date? = nil, queue: String? = nil,
        priority: Int? = nil, expires: Duration? = nil, id: String? = nil, options: EnqueueOptions = EnqueueOptions()
    ) throws -> Signature<Output> {
        var options = options
        options.take(in: countdown, at: eta, queue: queue, priority: priority, expires: expires, id: id)
        return try signature(options, repeat each arguments)
    }

    private func signature(
        _ options: consuming EnqueueOptions, _ arguments: repeat each Argument
    ) throws -> Signature<Output> {
        Signature(
            call: UntypedCall(
                task: name, body: try coder.encode(repeat each arguments), parameters: coder.shape.parameters,
                taskOptions: self.options, options: options, app: app),
            decodeOutput: decodeOutput)
    }

    /// A way to the result of a call whose id was kept.
    public func result(of id: String) -> AsyncResult<Output> {
        AsyncResult(id: id, placement: nil, app: app, prospect: .kept, decode: decodeOutput)
    }

    /// The arguments of a call, as the task's body gets them.
    package func arguments(of message: TaskMessage) throws -> (repeat each Argument) {
        try coder.decode(try message.decodeBody())
    }
}
