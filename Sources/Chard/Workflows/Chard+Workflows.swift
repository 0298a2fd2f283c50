// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A signature that is put together without types: for trees of workflows that are drawn at random.
package struct UntypedWorkflow: Sendable {
    private let canvas: Canvas

    private init(_ canvas: Canvas) { self.canvas = canvas }

    package static func call(
        _ task: String, _ arguments: [JSON], id: String, queue: String? = nil
    ) -> UntypedWorkflow {
        var canvas = Canvas(task: task)
        canvas.arguments = arguments.map { $0.encoded()[...] }
        canvas.options[.taskID] = JSONText.string(id)
        if let queue { canvas.options[CanvasOption("queue")] = JSONText.string(queue) }
        return UntypedWorkflow(canvas)
    }

    package static func chain(_ steps: [UntypedWorkflow]) -> UntypedWorkflow {
        UntypedWorkflow(Canvas(chain: steps.map(\.canvas)))
    }

    package static func chord(_ header: [UntypedWorkflow], body: UntypedWorkflow) -> UntypedWorkflow {
        UntypedWorkflow(Canvas(chord: header.map(\.canvas), body: body.canvas))
    }

    /// This, with `input` as the argument of whatever runs first.
    package func enqueue(_ input: JSON, by app: Chard) async throws -> AsyncResult<JSON> {
        let canvas = canvas.called(with: [input.encoded()[...]])
        return try await app.enqueue(Workflow(canvas, app: app) { try JSON(parsing: $0) })
    }
}

extension Chard {
    /// Sends what of a signature can start at once, its ids settled: first the joins are opened, then the messages go out,
    /// a thousand at a time.
    /// - Returns: The id of the workflow; `nil` of a call that nothing follows.
    @discardableResult
    func send(_ canvas: Canvas, planned: WorkflowPlan? = nil, as id: String? = nil) async throws -> String? {
        try validate()
        try canvas.checkDepth()
        let parent = TaskContext.current?.message
        let root = canvas.isPlain ? nil : parent?.workflowID ?? canvas.firstID
        var unroller = Unroller(canvasRules, parent: parent, root: root)
        try unroller.send(canvas)
        if let root {
            let id = id ?? canvas.resultID ?? canvas.last.options[.taskID].text ?? root
            try await record(planned ?? WorkflowPlan(of: canvas), as: id, in: root, sentBy: parent)
        }
        let last = try destination
        var joins = unroller.joins
        if case .group = canvas.last.form, let id = canvas.last.options[.taskID].text,
            !joins.contains(where: { $0.group == id })
        {
            // Nobody waits for it, but its members can be asked for by its id.
            let members: JSON = ["result": canvas.last.resultTuple]
            joins.append(
                JoinOpening(
                    group: id, size: canvas.last.ends, members: members.encoded(),
                    timeToLive: settings.resultExpires))
        }
        if !joins.isEmpty {
            guard let store = try results as? any JoinStore else {
                throw AppError("\(try results.location) keeps no joins, so that no group or chord can be sent")
            }
            try await store.open(joins)
        }
        let messages = unroller.messages
        for start in stride(from: 0, to: messages.count, by: 1_000) {
            let part = Array(messages[start..<min(start + 1_000, messages.count)])
            _ = try await send(part, through: middleware[...], to: last)
        }
        return root
    }

    /// Notes what a workflow is made of, where the broker keeps records.
    private func record(
        _ plan: WorkflowPlan, as id: String, in root: String, sentBy parent: TaskMessage?
    ) async throws {
        let part = WorkflowRecord.Part(plan, sentAt: settings.now(), parent: parent?.id)
        guard let store = try recordStore,
            let change = part.change(.list, of: root, as: id, timeToLive: settings.resultExpires)
        else { return }
        do {
            try await store.change([change])
        } catch let error as BrokerError where error.isRefusal {
            // What is not recorded runs all the same: who sends may have no right to records.
        }
    }

    /// Where records are kept; `nil` where the broker keeps none.
    var recordStore: (any RecordStore)? {
        get throws(AppError) {
            if let immediate { return immediate.store as? any RecordStore }
            return try broker as? any RecordStore
        }
    }
}

extension Canvas {
    /// How many members a group may have.
    static let mostMembers = 1_000_000

    static var tooMany: AppError {
        AppError(
            "a group has more than \(mostMembers) members; send several, or many items in one message: "
                + "group(task, over: items, inChunksOf: 1000)")
    }

    /// Refuses what stands too deep within itself.
    func checkDepth(_ most: Int = deepest) throws(CanvasError) {
        guard depth > most else { return }
        throw CanvasError("a workflow stands \(depth) deep within itself; no more than \(Self.deepest) is carried on")
    }

    /// The same, taking no results of others: of a chain its first task, of a group or a chord's header each.
    var immutable: Canvas {
        var canvas = self
        canvas.isImmutable = true
        switch form {
        case .task: break
        case .chain(var tasks):
            if let first = tasks.first { tasks[0] = first.immutable }
            canvas.form = .chain(tasks)
        case .group(let tasks): canvas.form = .group(tasks.map(\.immutable))
        case .chord(let header, let body): canvas.form = .chord(header.immutable, body: body)
        }
        return canvas
    }

    /// The last step of a chain; anything else is its own.
    var last: Canvas {
        if case .chain(let tasks) = form, let last = tasks.last { last.last } else { self }
    }

    /// How deep signatures stand within one another.
    var depth: Int {
        switch form {
        case .task: 0
        case .chain(let tasks), .group(let tasks): 1 + (tasks.map(\.depth).max() ?? 0)
        case .chord(let header, let body): 1 + max(header.depth, body.depth)
        }
    }

    /// Takes on what holds for a call, over what holds for all calls of its task.
    mutating func take(_ call: EnqueueOptions, over task: TaskOptions) {
        func set(_ option: CanvasOption, _ value: JSON?) {
            if let value { options[option] = value.encoded()[...] }
        }
        workerHoldsETA = call.workerHoldsETA
        set("queue", (call.queue ?? task.queue).map(JSON.string))
        set("countdown", call.countdown.map { .number($0.seconds) })
        set("eta", call.eta.map { .string(Timestamp.text(for: $0)) })
        set(
            "expires",
            call.expiresAt.map { .string(Timestamp.text(for: $0)) }
                ?? (call.expires ?? task.expires).map { .number($0.seconds) })
        set("priority", (call.priority ?? task.priority).map(JSON.integer))
        set("soft_time_limit", (call.softTimeLimit ?? task.softTimeLimit).map { .number($0.seconds) })
        set("time_limit", (call.timeLimit ?? task.timeLimit).map { .number($0.seconds) })
        set("task_id", call.id.map(JSON.string))
        set("ignore_result", (call.ignoresResult ?? (task.ignoresResult ? true : nil)).map(JSON.bool))
        set("shadow", call.shadow.map(JSON.string))
        var headers = task.headers.merging(call.headers) { $1 }
        if let retry = call.retry { headers[RetryPolicy.header] = try? JSON(encoding: retry) }
        if !headers.isEmpty { set("headers", .object(headers)) }
    }
}
