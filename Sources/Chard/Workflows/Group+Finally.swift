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
    /// until the workflow is cancelled. What comes of this may go on, and be a part of something larger.
    /// - Parameters:
    ///   - next: The task that goes on.
    ///   - extra: Its arguments behind the list.
    ///   - options: What it is sent with.
    ///   - queue: A queue that Swift workers serve. By default that of `next`, or else that of a member, whichever is a task of
    ///     this app.
    public func finally<Next: Sendable, each Extra: Codable & Sendable>(
        _ next: TaskHandle<Next, [PartOutcome<Element>], repeat each Extra>, with extra: repeat each Extra,
        options: EnqueueOptions = EnqueueOptions(), queue: String? = nil
    ) throws -> Workflow<Next> where Element: Codable {
        let step = try next.step(repeat each extra, options: options)
        var workflow = Workflow(step, app: app ?? next.app, decode: next.decodeOutput)
        workflow.prelude = Prelude(header: canvas, queue: queue, endsAtFailure: false)
        return workflow
    }

    /// Goes on, once all have succeeded, with a task that takes the list of their results, in their order. What a failure brings,
    /// `policy` says.
    ///
    /// Celery knows one policy, ``JoinPolicy/allSucceeded``. With ``JoinPolicy/firstFailure`` the members are to its workers ordinary
    /// tasks with a callback and an errback; these belong to `queue`, which Swift workers must serve. With results on another server,
    /// errbacks may then be called twice where two members fail at one moment.
    /// - Parameters:
    ///   - next: The task that goes on.
    ///   - extra: Its arguments behind the list.
    ///   - policy: What a failure brings.
    ///   - options: What it is sent with.
    ///   - queue: A queue that Swift workers serve. By default that of `next`, or else that of a member, whichever is a task of
    ///     this app.
    public func then<Next: Sendable, each Extra: Codable & Sendable>(
        _ next: TaskHandle<Next, [Element], repeat each Extra>, with extra: repeat each Extra, policy: JoinPolicy,
        options: EnqueueOptions = EnqueueOptions(), queue: String? = nil
    ) throws -> Workflow<Next> where Element: Codable {
        if policy == .allSucceeded { return try then(next, with: repeat each extra, options: options) }
        let step = try next.step(repeat each extra, options: options)
        var workflow = Workflow(step, app: app ?? next.app, decode: next.decodeOutput)
        workflow.prelude = Prelude(header: canvas, queue: queue, endsAtFailure: true)
        return workflow
    }
}

/// What a failure of a member brings for what waits for the results of all.
///
/// A third policy has a name of its own, since what waits gets outcomes in the place of results:
/// ``Group/finally(_:with:options:queue:)``.
public enum JoinPolicy: Sendable, Hashable {
    /// The other members run to their end; then what waits fails, with `ChordError`.
    case allSucceeded
    /// What waits fails at once, with `ChordError`, and the members that are not over are called off: what waits does not run, and
    /// what runs is cancelled. Python's workers are asked to do the same.
    case firstFailure
}

/// What a workflow begins with, where its own tasks wait for others at a join of our own.
struct Prelude: Sendable {
    /// A group, or a chain that ends in one.
    var header: Canvas
    /// The queue of arrivals, where one was named.
    var queue: String?
    /// Whether the join ends at the first failure.
    var endsAtFailure: Bool
}

extension Chard {
    /// Sends a workflow whose tasks wait for the outcomes of others. Returns the id of the workflow, and that of its last task.
    func send(_ body: Canvas, after prelude: Prelude) async throws -> (root: String?, id: String?) {
        var body = body
        try prelude.header.checkDepth()
        try body.checkDepth()
        body.freeze()
        var header = try gathering(prelude, then: body).members(before: body)
        header.freeze()
        let plan = WorkflowPlan.chain([WorkflowPlan(of: header), WorkflowPlan(of: body)])
        return (try await send(header, planned: plan, as: body.resultID), body.resultID)
    }

    func gathering(_ prelude: Prelude, then body: Canvas) throws(AppError) -> Gathering {
        Gathering(
            header: prelude.header, queue: try arrivalQueue(prelude, then: body), endsAtFailure: prelude.endsAtFailure)
    }

    /// A queue that Swift workers serve.
    private func arrivalQueue(_ prelude: Prelude, then body: Canvas) throws(AppError) -> String {
        if let queue = prelude.queue { return queue }
        let registry = registry
        for canvas in [body] + prelude.header.last.members {
            if let name = canvas.firstName(where: { registry[$0] != nil }) {
                return queue(for: name, registry[name]?.options.queue)
            }
        }
        throw AppError(
            "none of the tasks is one of \(self.name), so that no queue is known which Swift workers serve, and outcomes are gathered "
                + "by these: name one, finally(..., queue: \"swift\")")
    }
}

extension Canvas {
    /// The first of the names of its tasks of which this holds.
    func firstName(where isGood: (String) -> Bool) -> String? {
        switch form {
        case .task: return isGood(task) ? task : nil
        case .chain(let tasks), .group(let tasks):
            for canvas in tasks { if let name = canvas.firstName(where: isGood) { return name } }
            return nil
        case .chord(let header, let body): return header.firstName(where: isGood) ?? body.firstName(where: isGood)
        }
    }
}
