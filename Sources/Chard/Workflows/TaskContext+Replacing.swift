// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension TaskContext {
    /// Ends this run and puts a workflow in the task's place, which takes its id and whatever waits for it: Celery's
    /// `Task.replace`. Used as what the body returns, so that the types fit:
    ///
    /// ```swift
    /// app.task("total") { (context: TaskContext, order: Order) -> Int in
    ///     guard order.isLarge else { return order.total }
    ///     return try context.replace(by: group(order.parts.map { try price.signature($0) }).then(sum))
    /// }
    /// ```
    /// - Throws: Always: ``Replacement``, or what is wrong with the workflow.
    public func replace<Output: Sendable>(by workflow: some WorkflowPart<Output>) throws -> Output {
        throw Replacement(try workflow.workflow.part)
    }

    /// The same with a group, for a task that returns the list of its results.
    public func replace<Element: Sendable>(by group: Group<Element>) throws -> [Element] {
        throw Replacement(group.canvas)
    }
}
