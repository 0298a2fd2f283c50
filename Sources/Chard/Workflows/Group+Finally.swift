// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension Group {
    /// Goes on, once all members are over, however they have ended, with a task that takes the list of their outcomes, in their order.
    ///
    /// ```swift
    /// let report = app.task("report") { (pages: [PartOutcome<Page>]) in
    ///     "\(pages.count { (try? $0.get()) != nil }) of \(pages.count) pages were fetched"
    /// }
    /// let told = try await group(urls.map { try fetch.signature($0) }).finally(report).enqueue()
    /// ```
    /// Celery has nothing like it. To its workers the members are ordinary tasks with a callback and an errback; these belong to
    /// `queue`, which Swift workers must serve. A member that is revoked where Python runs it calls neither, and is waited for
    /// until the workflow is cancelled. What comes of this is no part of something larger, but may go on itself.
    /// - Parameter queue: A queue that Swift workers serve. By default that of `next`, or else that of a member, whichever is a task of this
    ///   app.
    public func finally<Next: Sendable, each Extra: Codable & Sendable>(
        _ next: TaskHandle<Next, [PartOutcome<Element>], repeat each Extra>, with extra: repeat each Extra,
        options: EnqueueOptions = EnqueueOptions(), queue: String? = nil
    ) throws -> Workflow<Next> where Element: Codable {
        let step = try next.step(repeat each extra, options: options)
        var workflow = Workflow(step, app: app ?? next.app, decode: next.decodeOutput)
        workflow.prelude = Prelude(header: canvas, queue: queue)
        return workflow
    }
}

/// What a workflow begins with, where its own tasks wait for the outcomes of others.
struct Prelude: Sendable {
    /// A group, or a chain that ends in one.
    var header: Canvas
    /// The queue of arrivals, where one was named.
    var queue: String?
}

extension Chard {
    /// Sends a workflow whose tasks wait for the outcomes of others. Returns the id of the workflow, and that of its last task.
    func send(_ body: Canvas, after prelude: Prelude) async throws -> (root: String?, id: String?) {
        var (header, body) = (prelude.header, body)
        try header.checkDepth()
        try body.checkDepth()
        body.freeze()
        try header.arrive(
            at: TaskID.random(), then: body.encoded(), on: try arrivalQueue(prelude, then: body))
        header.freeze()
        let plan = WorkflowPlan.chain([WorkflowPlan(of: header), WorkflowPlan(of: body)])
        return (try await send(header, planned: plan, as: body.resultID), body.resultID)
    }

    /// A queue that Swift workers serve.
    private func arrivalQueue(_ prelude: Prelude, then body: Canvas) throws(AppError) -> String {
        if let queue = prelude.queue { return queue }
        let registry = registry
        for canvas in [body] + prelude.header.last.members {
            for name in canvas.names where registry[name] != nil {
                return queue(for: name, registry[name]?.options.queue)
            }
        }
        throw AppError(
            "none of the tasks is one of \(self.name), so that no queue is known which Swift workers serve, and outcomes are gathered "
                + "by these: name one, finally(..., queue: \"swift\")")
    }
}

extension Canvas {
    /// The names of its tasks, in their order.
    fileprivate var names: [String] {
        switch form {
        case .task: [task]
        case .chain(let tasks), .group(let tasks): tasks.flatMap(\.names)
        case .chord(let header, let body): header.names + body.names
        }
    }
}
