// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension WorkflowPart {
    /// Goes on with a task that takes the result as its first argument, and `extra` behind it.
    public func then<Next: Sendable, each Extra: Codable & Sendable>(
        _ next: TaskHandle<Next, Output, repeat each Extra>, with extra: repeat each Extra,
        options: EnqueueOptions = EnqueueOptions()
    ) throws -> Workflow<Next> where Output: Codable {
        let step = try next.step(repeat each extra, options: options)
        let workflow = try workflow
        return workflow.going(on: workflow.canvas.followed(by: step), next.app, next.decodeOutput)
    }

    /// Goes on with a call that has all its arguments, once this has succeeded: Celery's immutable signature.
    public func then<Next: Sendable>(_ next: some WorkflowPart<Next>) throws -> Workflow<Next> {
        let (workflow, next) = (try workflow, try next.workflow)
        return workflow.going(on: workflow.canvas.followed(by: try next.part.immutable), next.app, next.decode)
    }

    /// Goes on with several tasks at once, each of which takes the result, and `extra` behind it.
    public func then<Next: Sendable, each Extra: Codable & Sendable>(
        eachOf next: [TaskHandle<Next, Output, repeat each Extra>], with extra: repeat each Extra,
        options: EnqueueOptions = EnqueueOptions()
    ) throws -> Group<Next> where Output: Codable {
        let workflow = try workflow
        guard let first = next.first else { throw AppError("then(eachOf:) needs at least one task") }
        guard next.count <= Canvas.mostMembers else { throw Canvas.tooMany }
        let members = try next.map { try $0.step(repeat each extra, options: options) }
        return Group(
            try workflow.part.followed(by: Canvas(group: members)), app: workflow.app ?? first.app,
            decode: first.decodeOutput)
    }

    /// Goes on with several pipelines at once, each of which begins with the result.
    public func then<Next: Sendable>(eachOf next: [Pipeline<Next, Output>]) throws -> Group<Next>
    where Output: Codable {
        let workflow = try workflow
        guard let first = next.first else { throw AppError("then(eachOf:) needs at least one pipeline") }
        guard next.count <= Canvas.mostMembers else { throw Canvas.tooMany }
        return Group(
            try workflow.part.followed(by: Canvas(group: next.map { Canvas(chain: [$0.head] + $0.steps) })),
            app: workflow.app ?? first.app, decode: first.decode)
    }

    /// Sends a task with the result, beside what else follows, once this has succeeded. It is no part of the result.
    public func onSuccess<Next: Sendable, each Extra: Codable & Sendable>(
        _ callback: TaskHandle<Next, Output, repeat each Extra>, with extra: repeat each Extra,
        options: EnqueueOptions = EnqueueOptions()
    ) throws -> Workflow<Output> where Output: Codable {
        let call = try callback.step(repeat each extra, options: options).encoded()
        return try changed { $0.append(callbacks: [call]) }
    }

    /// The same with several tasks one after the other, the first of which takes the result.
    public func onSuccess<Next: Sendable>(_ callback: Pipeline<Next, Output>) throws -> Workflow<Output>
    where Output: Codable {
        let call = Canvas(chain: [callback.head] + callback.steps).encoded()
        return try changed { $0.append(callbacks: [call]) }
    }

    /// Sends a task with the id of the failed one, and `extra` behind it, when a part of this has failed for good.
    ///
    /// It is called for each step that fails: of a chain at most once, of a group once for each member.
    public func onFailure<Next: Sendable, each Extra: Codable & Sendable>(
        _ errback: TaskHandle<Next, String, repeat each Extra>, with extra: repeat each Extra,
        options: EnqueueOptions = EnqueueOptions()
    ) throws -> Workflow<Output> {
        let call = try errback.step(repeat each extra, options: options).encoded()
        return try changed { $0.append(errbacks: [call]) }
    }

    /// The same with several tasks one after the other, the first of which takes the id.
    ///
    /// Where Python has run what failed, Swift workers send them.
    /// - Parameters:
    ///   - errback: The tasks, the first of which takes the id of what failed.
    ///   - queue: A queue that Swift workers serve. By default that of the first task, if it is one of this app, otherwise that of
    ///     the builtin task `chard.call`.
    public func onFailure<Next: Sendable>(
        _ errback: Pipeline<Next, String>, queue: String? = nil
    ) throws -> Workflow<Output> {
        let app = errback.app
        let task = app.registry[errback.head.task] == nil ? PipelineCall.task : errback.head.task
        let call = PipelineCall.signature(
            of: Canvas(chain: [errback.head] + errback.steps),
            on: queue ?? app.queue(for: task, app.options(of: task)?.queue))
        return try changed { $0.append(errbacks: [call.encoded()]) }
    }

    private func changed(_ change: (inout Canvas) -> Void) throws -> Workflow<Output> {
        let workflow = try workflow
        var canvas = workflow.canvas
        change(&canvas)
        return workflow.going(on: canvas, nil, workflow.decode)
    }
}

extension TaskHandle {
    /// A call without its first argument, which is the result of what goes before.
    func step<each Extra: Codable & Sendable>(
        _ extra: repeat each Extra, options call: EnqueueOptions
    ) throws -> Canvas {
        if let problem = call.problemOfPart { throw AppError("cannot enqueue \(name): \(problem)") }
        let coder = ArgumentCoder<repeat each Extra>(task: name, shape: .positional([]))
        var canvas = Canvas(task: name)
        canvas.arguments = try coder.encode(repeat each extra).positional
        canvas.take(call, over: options)
        return canvas
    }

    /// A call whose arguments are the result of what goes before.
    func head() throws -> Canvas {
        var canvas = Canvas(task: name)
        canvas.take(EnqueueOptions(), over: options)
        return canvas
    }

    /// The task and what follows it, as one, to be called with the arguments of the first.
    public func then<Next: Sendable, each Extra: Codable & Sendable>(
        _ next: TaskHandle<Next, Output, repeat each Extra>, with extra: repeat each Extra,
        options: EnqueueOptions = EnqueueOptions()
    ) throws -> Pipeline<Next, repeat each Argument> where Output: Codable {
        let step = try next.step(repeat each extra, options: options)
        return Pipeline(
            steps: [step], decode: next.decodeOutput, head: try head(),
            first: { (argument: repeat each Argument) in try signature(repeat each argument).canvas() }, app: app)
    }
}
