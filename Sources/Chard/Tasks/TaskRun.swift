// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Tracing

/// One run of a task: what is the same from its beginning to its end.
///
/// Behind one reference, since a run is handed from layer to layer: copying a message's thirty members each time would cost a
/// tenth of it.
final class TaskRun: Sendable {
    let task: RegisteredTask
    let message: TaskMessage
    let body: MessageBody
    /// The queue the message came from.
    let queue: String
    let cancellation: Cancellation
    let surroundings: TaskContext.Surroundings
    /// The context of its span, where somebody traces.
    let trace: ServiceContext?
    /// What is known of the task's steps, once one was asked for.
    let steps = Mutex<KnownSteps?>(nil)

    init(
        _ task: RegisteredTask, _ message: consuming TaskMessage, _ body: consuming MessageBody, queue: String,
        cancellation: Cancellation = Cancellation(), in surroundings: TaskContext.Surroundings,
        trace: ServiceContext? = nil
    ) {
        self.trace = trace
        self.task = task
        self.message = message
        self.body = body
        self.queue = queue
        self.cancellation = cancellation
        self.surroundings = surroundings
    }
}
