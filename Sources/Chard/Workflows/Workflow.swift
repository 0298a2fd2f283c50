// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Something to be sent that has a result in the end: a ``Signature``, or several of them as a ``Workflow``.
public protocol WorkflowPart<Output>: Sendable {
    /// What the last task of it returns.
    associatedtype Output: Sendable

    /// This as a workflow; of a signature, the workflow that is this one call.
    var workflow: Workflow<Output> { get throws }
}

/// Calls that follow one another, ready to be sent: a chain, or a chord, or both within one another.
///
/// ```swift
/// let small = try await fetch.then(resize, with: 256).then(store).enqueue("cat.jpg").value(timeout: .seconds(30))
/// let all = try await group(urls.map { try fetch.signature($0) }).then(merge).enqueue()
/// ```
/// The compiler sees to it that the output of one task fits the input of the next. What travels is Celery's canvas: each part
/// runs on whichever worker has its task, in Swift or in Python. What follows a task is written in the step that settles
/// it, so that no worker's end can lose it or send it twice.
public struct Workflow<Output: Sendable>: WorkflowPart {
    let canvas: Canvas
    let app: Chard?
    let decode: @Sendable ([UInt8]) throws -> Output
    /// What it waits for before its own first task.
    var prelude: Prelude?

    init(_ canvas: Canvas, app: Chard?, decode: @escaping @Sendable ([UInt8]) throws -> Output) {
        self.canvas = canvas
        self.app = app
        self.decode = decode
    }

    /// Itself.
    public var workflow: Workflow<Output> { self }

    /// Its signature, as a part of something larger.
    var part: Canvas {
        get throws(AppError) {
            guard let prelude else { return canvas }
            guard let app else {
                throw AppError(
                    "a group that begins with a call by name alone cannot go on finally within something larger")
            }
            return try app.gathering(prelude, then: canvas).signature(before: canvas)
        }
    }

    /// Another workflow that begins as this one does.
    func going<Next: Sendable>(
        on canvas: Canvas, _ other: Chard?, _ decode: @escaping @Sendable ([UInt8]) throws -> Next
    ) -> Workflow<Next> {
        var next = Workflow<Next>(canvas, app: app ?? other, decode: decode)
        next.prelude = prelude
        return next
    }

    /// Sends what can start at once, and returns a way to the result of the last task.
    /// - Throws: ``CanvasError`` if it stands too deep or is too large; whatever an enqueue throws.
    @discardableResult
    public func enqueue() async throws -> AsyncResult<Output> {
        guard let app else {
            throw AppError("this workflow begins with a call by name alone: send it with app.enqueue(_:)")
        }
        return try await app.enqueue(self)
    }
}

extension Signature: WorkflowPart {
    /// This call, as a workflow of one.
    public var workflow: Workflow<Output> {
        get throws { Workflow(try canvas(), app: call.app, decode: decodeOutput) }
    }

    /// The signature as it travels.
    func canvas() throws -> Canvas {
        if task.isEmpty { throw AppError("a workflow has a task whose name is the empty string") }
        if let problem = options.problemOfPart { throw AppError("cannot enqueue \(task): \(problem)") }
        var canvas = Canvas(task: task)
        canvas.arguments = call.body.positional
        canvas.keywords = call.body.keywords
        canvas.take(options, over: call.taskOptions)
        return canvas
    }
}

extension Chard {
    /// Sends what of a workflow can start at once, and returns a way to the result of its last task.
    @discardableResult
    public func enqueue<Output: Sendable>(_ workflow: Workflow<Output>) async throws -> AsyncResult<Output> {
        if let prelude = workflow.prelude {
            let (root, id) = try await send(workflow.canvas, after: prelude)
            var result = AsyncResult(
                id: id ?? "", placement: nil, app: self, prospect: .kept, decode: workflow.decode)
            result.workflowID = root
            return result
        }
        var canvas = workflow.canvas
        try canvas.checkDepth()
        canvas.freeze()
        guard let id = canvas.resultID else {
            throw AppError("a workflow without tasks has no result; a group of none is sent as the empty list")
        }
        let root = try await send(canvas)
        var result = AsyncResult(id: id, placement: nil, app: self, prospect: .kept, decode: workflow.decode)
        result.workflowID = root
        return result
    }
}
