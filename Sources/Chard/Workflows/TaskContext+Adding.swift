// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension TaskContext {
    /// Adds a member to the group that this task is in, if something waits for its results: Celery's `add_to_chord`. The new member
    /// begins at once, and the group's end waits for it, too.
    ///
    /// ```swift
    /// let crawl = app.task("crawl") { (context: TaskContext, page: URL) -> Int in
    ///     for link in try await links(of: page) { try await context.add(toGroup: crawlOnce.signature(link)) }
    ///     return 1
    /// }
    /// ```
    /// The message and the count are written in one step, for as long as this worker holds the task. A run after a retry or the loss
    /// of a worker adds no member again that an earlier one has added, if it adds the same ones in the same order. Its
    /// result stands beside that of this task, in no order that is promised.
    /// - Returns: A way to the new member's result.
    /// - Throws: ``AppError`` if this task is no member of a group that something waits for, or where results are kept apart from the
    ///   broker; ``BrokerError`` if the task is another worker's by now.
    @discardableResult
    public func add<Output: Sendable>(toGroup part: some WorkflowPart<Output>) async throws -> AsyncResult<Output> {
        guard let groupID = message.group, let chord = try message.decodeBody(limits: .held).embed.chord else {
            throw AppError("\(task): it is no member of a group that something waits for, so that nothing can be added")
        }
        guard let group = desk?.group as? GroupWriter else {
            throw AppError(
                "\(task): members can be added to a group only where its results are kept in the broker, and not in immediate "
                    + "mode")
        }
        let workflow = try part.workflow
        guard let app = workflow.app else {
            throw AppError(
                "\(task): what is added to a group begins with a call by name alone; make it with app.reference(...)")
        }
        func result(_ id: String) -> AsyncResult<Output> {
            AsyncResult(id: id, placement: nil, app: app, prospect: .kept, decode: workflow.decode)
        }
        let name = "\(Self.additions)\(stepsAsked(Self.additions))"
        if let kept = try await kept(name) { return result(String(decoding: kept, as: UTF8.self)) }
        var canvas = try workflow.part
        try canvas.checkDepth()
        canvas.freeze(
            nil, CanvasPlace(root: message.rootID, group: groupID, index: message.groupIndex, chord: chord))
        guard let id = canvas.resultID, canvas.ends > 0 else {
            throw AppError("\(task): what is added to a group has no task")
        }
        var unroller = Unroller(group.rules, parent: message, noticeQueue: queue)
        try unroller.send(canvas)
        var effects: Effects = [
            .record(
                RecordChange(
                    .keep, StepDesk.record(of: self.id), name, Array(id.utf8), timeToLive: StepDesk.timeToLive)),
            .grow(JoinGrowth(group: groupID, count: canvas.ends)),
        ]
        let plan = WorkflowRecord.Part(WorkflowPlan(of: canvas), sentAt: group.rules.now(), parent: self.id)
        if let change = plan.change(.amend, of: message.workflowID, as: id, timeToLive: group.rules.lifetimes.usual) {
            effects.append(.record(change))
        }
        for record in unroller.records { effects.append(.record(record)) }
        for join in unroller.joins { effects.append(.open(join)) }
        for message in unroller.messages { effects.append(.push(message.outgoing(by: group.rules.signing))) }
        cancellation.noteSteps()
        try await group.write(effects)
        return result(id)
    }

    /// What the names of the steps begin with by which additions are known; nothing of the kind may be the name of a step.
    private static let additions = "\u{0}added:"
}
