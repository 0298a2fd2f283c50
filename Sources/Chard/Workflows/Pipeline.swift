// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Tasks one after the other that are called like one: with the arguments of the first, for the result of the last.
public struct Pipeline<Output: Sendable, each Argument: Codable & Sendable>: Sendable {
    let steps: [Canvas]
    let decode: @Sendable ([UInt8]) throws -> Output
    /// The first task, called with what goes before it.
    let head: Canvas
    let first: @Sendable (repeat each Argument) throws -> Canvas
    let app: Chard

    /// Goes on with a task that takes the result as its first argument, and `extra` behind it.
    public func then<Next: Sendable, each Extra: Codable & Sendable>(
        _ next: TaskHandle<Next, Output, repeat each Extra>, with extra: repeat each Extra,
        options: EnqueueOptions = EnqueueOptions()
    ) throws -> Pipeline<Next, repeat each Argument> where Output: Codable {
        let step = try next.step(repeat each extra, options: options)
        return Pipeline<Next, repeat each Argument>(
            steps: steps + [step], decode: next.decodeOutput, head: head, first: first, app: app)
    }

    /// The call as a value, to be sent later or as a part of something larger.
    public func signature(_ arguments: repeat each Argument) throws -> Workflow<Output> {
        Workflow(Canvas(chain: [try first(repeat each arguments)] + steps), app: app, decode: decode)
    }

    /// Sends the first task, and returns a way to the result of the last.
    @discardableResult
    public func enqueue(_ arguments: repeat each Argument) async throws -> AsyncResult<Output> {
        try await app.enqueue(signature(repeat each arguments))
    }
}
