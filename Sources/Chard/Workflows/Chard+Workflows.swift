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
        var unroller = Unroller(canvasRules, parent: parent, root: root, noticeQueue: try noticeQueue(for: canvas))
        unroller.keepsCrowd = true
        try unroller.send(canvas)
        try checkSize(of: unroller)
        if let root {
            let id = id ?? canvas.resultID ?? canvas.last.options[.taskID].text ?? root
            try await record(planned ?? WorkflowPlan(of: canvas), as: id, in: root, sentBy: parent)
        }
        let last = try Destination(of: self)
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
            guard let store = try results.power(.joins) else {
                throw AppError("\(try results.location) keeps no joins, so that no group or chord can be sent")
            }
            try await store.open(joins)
        }
        if !unroller.records.isEmpty, let store = try recordStore {
            try await change(unroller.records, in: store)
        }
        let step = 1_000
        let messages = unroller.messages
        for start in stride(from: 0, to: messages.count, by: step) {
            let part = Array(messages[start..<min(start + step, messages.count)])
            _ = try await sendTraced(part, by: parent, to: last)
        }
        guard let crowd = unroller.crowd else { return root }
        for start in stride(from: 0, to: crowd.members.count, by: step) {
            let part = try unroller.messages(of: crowd, start..<min(start + step, crowd.members.count))
            _ = try await sendTraced(part, by: parent, to: last)
        }
        return root
    }

    /// Refuses what a worker would not take, or no server hold, before any of it is written.
    private func checkSize(of unroller: Unroller) throws {
        var sum = 0
        for message in unroller.messages {
            // Says what is wrong with one that is too large.
            if message.body.plainSize > settings.limits.bodyBytes { _ = try outgoing(of: message) }
            sum += message.body.plainSize
        }
        if let crowd = unroller.crowd {
            let bytes = crowd.bytes
            if bytes.largest > settings.limits.bodyBytes {
                for index in crowd.members.indices {
                    _ = try outgoing(of: try unroller.messages(of: crowd, index..<index + 1)[0])
                }
            }
            sum += bytes.sum
        }
        guard sum > Canvas.mostBytes else { return }
        throw AppError(
            "a workflow has \(sum) bytes in what is sent at once, and no more than \(Canvas.mostBytes) are; send references to what "
                + "is large, or several workflows")
    }

    /// Notes what a workflow is made of, where the broker keeps records.
    private func record(
        _ plan: WorkflowPlan, as id: String, in root: String, sentBy parent: TaskMessage?
    ) async throws {
        let part = WorkflowRecord.Part(plan, sentAt: settings.now(), parent: parent?.id)
        guard let store = try recordStore,
            let change = part.change(.list, of: root, as: id, timeToLive: settings.resultExpires)
        else { return }
        try await self.change([change], in: store)
    }

    private func change(_ records: [RecordChange], in store: any RecordStore) async throws {
        do {
            for start in stride(from: 0, to: records.count, by: 200) {
                try await store.change(Array(records[start..<min(start + 200, records.count)]))
            }
        } catch let error as BrokerError where error.isRefusal {
            // What is not recorded runs all the same: who sends may have no right to records.
        }
    }

    /// Where Swift workers are told of failures that Python's workers keep to themselves: on the queue of a task of this app,
    /// otherwise where calls of the builtin task go.
    private func noticeQueue(for canvas: Canvas) throws(AppError) -> String? {
        guard !canvas.isTask, immediate == nil, try recordStore != nil else { return nil }
        let registry = registry
        let own = canvas.firstName { registry[$0] != nil }
        return own.map { queue(for: $0, registry[$0]?.options.queue) } ?? queue(for: FailureNotice.task, nil)
    }

    /// Where records are kept; `nil` where the broker keeps none.
    var recordStore: (any RecordStore)? {
        get throws(AppError) {
            if let immediate { return immediate.store.power(.records) }
            return try broker.power(.records)
        }
    }
}

extension Canvas {
    /// How many members a group may have.
    static let mostMembers = 1_000_000

    /// How many bytes the messages may have together that are sent at once.
    static let mostBytes = 1 << 30

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
