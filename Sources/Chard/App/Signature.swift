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
