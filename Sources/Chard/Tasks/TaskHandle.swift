// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

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

    /// Sends the task, and returns a way to its result as soon as the broker has the message.
    @discardableResult
    public func enqueue(
        _ arguments: repeat each Argument, options: EnqueueOptions = EnqueueOptions()
    ) async throws -> AsyncResult<Output> {
        try await app.enqueue(signature(repeat each arguments, options: options))
    }

    /// The call as a value, to be sent later or together with others: ``Chard/enqueue(_:)-([Signature<Output>])``.
    public func signature(
        _ arguments: repeat each Argument, options: EnqueueOptions = EnqueueOptions()
    ) throws -> Signature<Output> {
        Signature(
            task: name, body: try coder.encode(repeat each arguments), taskOptions: self.options, options: options,
            decodeOutput: decodeOutput)
    }

    /// A way to the result of a call whose id was kept.
    public func result(of id: String) -> AsyncResult<Output> {
        AsyncResult(id: id, app: app, keepsResult: true, decode: decodeOutput)
    }

    /// The arguments of a call, as the task's body gets them.
    package func arguments(of message: TaskMessage) throws -> (repeat each Argument) {
        try coder.decode(try message.decodeBody())
    }
}

/// One call of a task, ready to be sent. Celery's word for it.
public struct Signature<Output: Sendable>: Sendable {
    /// The task's name.
    public let task: String
    /// What holds for this call.
    public var options: EnqueueOptions

    let body: MessageBody
    let taskOptions: TaskOptions
    let decodeOutput: @Sendable ([UInt8]) throws -> Output

    init(
        task: String, body: MessageBody, taskOptions: TaskOptions, options: EnqueueOptions,
        decodeOutput: @escaping @Sendable ([UInt8]) throws -> Output
    ) {
        self.task = task
        self.body = body
        self.taskOptions = taskOptions
        self.options = options
        self.decodeOutput = decodeOutput
    }
}

extension Signature where Output == JSON {
    /// A call of a task by its name alone, with untyped arguments and result.
    public init(
        _ task: String, _ arguments: Arguments = Arguments(), options: EnqueueOptions = EnqueueOptions()
    ) {
        self.init(task: task, body: MessageBody(arguments), taskOptions: TaskOptions(), options: options) {
            try JSON(parsing: $0)
        }
    }
}
