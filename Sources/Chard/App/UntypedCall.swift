// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

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
