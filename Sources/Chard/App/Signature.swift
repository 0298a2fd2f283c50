// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// One call of a task, ready to be sent. Celery's word for it.
public struct Signature<Output: Sendable>: Sendable {
    /// The task's name.
    public var task: String { call.task }
    /// What holds for this call.
    public var options: EnqueueOptions {
        get { call.options }
        _modify { yield &call.options }
    }

    var call: UntypedCall
    let decodeOutput: @Sendable ([UInt8]) throws -> Output
}

/// A call without the type of its result: what is sent. Code that is generic over that type looks it up at every step.
struct UntypedCall: Sendable {
    let task: String
    let body: MessageBody
    /// What the positional arguments are called; `nil` where only the app may know.
    var parameters: [Parameter]?
    var taskOptions: TaskOptions
    var options: EnqueueOptions
    /// The app of the task; `nil` of a call by name alone.
    let app: Chard?
}

extension Signature where Output == JSON {
    /// A call of a task by its name alone, with untyped arguments and result.
    public init(
        _ task: String, _ arguments: Arguments = Arguments(), options: EnqueueOptions = EnqueueOptions()
    ) {
        let call = UntypedCall(
            task: task, body: MessageBody(arguments), taskOptions: TaskOptions(), options: options, app: nil)
        self.init(call: call) { try JSON(parsing: $0) }
    }
}
