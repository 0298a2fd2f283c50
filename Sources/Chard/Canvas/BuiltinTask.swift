// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The tasks that every Celery worker has, and that canvases are made of.
enum BuiltinTask {
    /// The builtin task of that name, if there is one: `celery.map`, `celery.starmap`, `celery.accumulate`,
    /// `celery.chunks`, and `celery.backend_cleanup`, which has nothing to do where results expire by themselves.
    static func named(_ name: String, among registry: [String: RegisteredTask]) -> RegisteredTask? {
        switch name {
        case "celery.map":
            task(name) { context, body in try await map(context, body, name, registry) { [$0] } }
        case "celery.starmap":
            task(name) { context, body in
                try await map(context, body, name, registry) { item throws(UnboundArguments) in
                    guard let arguments = JSONText.elements(item) else {
                        throw UnboundArguments(
                            error: .typeError("\(name)() takes a list of lists of arguments as 'it'"))
                    }
                    return arguments
                }
            }
        case chunks: task(name) { _, body in try chunked(body) }
        case "celery.accumulate": task(name) { _, body in try accumulate(body) }
        case Arrival.task: task(name) { context, body in try await outcome(context, body) }
        case FlowStep.task: task(name) { context, body in throw Replacement(try await step(context, body)) }
        case FlowStep.failing: task(name) { _, body in throw failure(body) }
        case Gathering.task: task(name) { context, body in throw try Gathering.replacement(body, on: context.queue) }
        case PipelineCall.task: task(name) { _, body in throw try PipelineCall.replacement(body) }
        case CallingOff.task: task(name) { context, body in try await callOff(context, body) }
        case FailureNotice.task:
            task(name, retry: FailureNotice.retry) { context, body in throw Replacement(try await told(context, body)) }
        case "celery.backend_cleanup": task(name) { _, _ in Array("null".utf8) }
        default: nil
        }
    }

    private static func task(
        _ name: String, retry: RetryPolicy = .whenAsked,
        _ run: @escaping @Sendable (TaskContext, MessageBody) async throws -> [UInt8]
    ) -> RegisteredTask {
        RegisteredTask(
            name: name, options: TaskOptions(retry: retry), signature: ["*args", "**kwargs"], isBlocking: false,
            parameters: [],
            problems: [], run: run)
    }

    /// Calls a task for each item, one after the other, and returns the list of the results.
    private static func map(
        _ context: TaskContext, _ body: MessageBody, _ name: String, _ registry: [String: RegisteredTask],
        _ arguments: (ArraySlice<UInt8>) throws -> [ArraySlice<UInt8>]
    ) async throws -> [UInt8] {
        guard let signature = argument("task", 0, of: body), let items = argument("it", 1, of: body),
            let items = JSONText.elements(items)
        else {
            throw UnboundArguments(error: .typeError("\(name)() takes a signature as 'task' and a list as 'it'"))
        }
        let called = try Canvas(reading: signature).task
        guard let task = registry[called] else {
            throw TaskError("NotRegistered", called, module: "celery.exceptions")
        }
        var results: [ArraySlice<UInt8>] = []
        for item in items {
            try context.checkCancellation()
            var call = MessageBody()
            call.positional = try arguments(item)
            results.append(try await task.run(context, call)[...])
        }
        return Array(JSONText.array(results))
    }

    private static func argument(_ name: String, _ place: Int, of body: MessageBody) -> ArraySlice<UInt8>? {
        body.keywords.first { $0.name == name }?.value
            ?? (body.positional.indices.contains(place) ? body.positional[place] : nil)
    }

    /// A call of a task for each item of a list, so many in one message.
    private static let chunks = "celery.chunks"

    /// Whether ``unrolled(_:of:)`` changes the bodies of a task: to hand any other through it copies them.
    static func isUnrolled(_ name: String) -> Bool { name == chunks || name == Arrival.task }

    /// `celery.chunks` sends a group and returns what it is called by. To be sent in the step that settles it, the group is
    /// one more of its callbacks, and the result its argument.
    static func unrolled(_ body: MessageBody, of name: String) -> MessageBody {
        if name == Arrival.task {
            var arrival = body
            arrival.embed.chord = body.keywords.first { $0.name == "body" }?.value
            return arrival
        }
        guard name == chunks, let call = argument("task", 0, of: body),
            let items = argument("it", 1, of: body).flatMap(JSONText.elements),
            let size = argument("n", 2, of: body).flatMap({ try? JSON(parsing: $0) })?.integer, size > 0
        else { return body }
        var group = Canvas(
            group: stride(from: 0, to: items.count, by: size).map { start in
                var part = Canvas(task: "celery.starmap")
                part.keywords = [
                    MessageBody.Keyword(name: "task", value: call),
                    MessageBody.Keyword(
                        name: "it", value: JSONText.array(Array(items[start..<min(start + size, items.count)]))),
                ]
                part.isImmutable = true
                return part
            })
        group.freeze()
        var unrolled = MessageBody(embed: body.embed)
        unrolled.positional = [group.resultTuple.encoded()[...]]
        unrolled.embed.callbacks.append(group.encoded())
        return unrolled
    }

    /// What the part has come to that this is the callback of, or the errback.
    private static func outcome(_ context: TaskContext, _ body: MessageBody) async throws -> [UInt8] {
        let isSuccess = body.keywords.first { $0.name == "ok" }.flatMap { try? JSON(parsing: $0.value) }?.bool
        guard let first = body.positional.first, let isSuccess, body.embed.chord != nil else {
            throw UnboundArguments(
                error: .typeError(
                    "\(Arrival.task)() takes a result, or the id of what failed, and 'ok', 'join', 'body'"))
        }
        if isSuccess { return Array(PartEnd.success(context.message.parentID ?? "", first)) }
        let id = (try? JSON(parsing: first))?.string ?? ""
        if body.keywords.contains(where: { $0.name == "error" }) {
            return Array(PartEnd.failure(id, .failure, failure(body)))
        }
        let (state, error) = try await failure(of: id, context)
        return Array(PartEnd.failure(id, state, error))
    }

    /// Why a task has failed. Of the body of a chord Python stores that only after it has called the errbacks.
    private static func failure(of id: String, _ context: TaskContext) async throws -> (TaskState, TaskError) {
        let deadline = ContinuousClock.now + .seconds(5)
        repeat {
            if let status = try await context.status(of: id), status.state.isReady, let error = status.error {
                return (status.state, error)
            }
            try await Task.sleep(for: .milliseconds(50))
        } while .now < deadline
        return (.failure, TaskError("UnknownError", "nothing is stored of why \(id) has failed", module: "chard"))
    }

    /// A task that fails, in the place of the notice of a failure: what is behind it is told.
    private static func told(_ context: TaskContext, _ body: MessageBody) async throws -> Canvas {
        func text(_ name: String) -> String? { body.keywords.first { $0.name == name }.map(\.value).text }
        guard let id = body.positional.first.text, let workflow = text("workflow"), let notice = text("notice") else {
            throw UnboundArguments(
                error: .typeError(
                    "\(FailureNotice.task)() takes the id of what has failed, and the 'workflow' and 'notice' of whom to tell"
                ))
        }
        guard let rest = try await context.value(FailureNotice.value(notice), of: workflow) else {
            throw TaskError(
                "BadWorkflow", "whom to tell that \(id) of workflow \(workflow) has failed is not kept any more",
                module: "chard")
        }
        let error = try await failure(of: id, context).1
        let texts = JSONText.elements(rest[...]) ?? []
        var untold = texts.compactMap { try? Canvas(reading: $0) }
        guard untold.count == texts.count, let end = untold.first?.counting,
            let record = try await context.record(workflow),
            let header = RenamedHeader(end.group, in: record)
        else { return FailureNotice.failing(rest, error, on: context.queue) }
        switch try await header.count(of: end.id, asking: { try await context.status(of: $0) }) {
        case .under(let group):
            for index in untold.indices { untold[index].rename(header.id, to: group) }
            return FailureNotice.failing(untold, error, on: context.queue)
        case .later:
            throw Retry(after: .seconds(min(10, 1 << min(4, context.attempt - 1))), because: error)
        case .byBody(let isFirst):
            let body = isFirst ? [try Canvas(reading: end.chord)] : []
            return FailureNotice.failing(
                body, .chord(end.id, error), on: context.queue, callsErrbacks: true)
        }
    }

    /// What a step of a flow begins with, now that all it waits for is over.
    private static func step(_ context: TaskContext, _ body: MessageBody) async throws -> Canvas {
        func text(_ name: String) -> String? { body.keywords.first { $0.name == name }.map(\.value).text }
        guard let outcomes = body.positional.first.flatMap(JSONText.elements), let workflow = text("workflow"),
            let name = text("step")
        else {
            throw UnboundArguments(
                error: .typeError(
                    "\(FlowStep.task)() takes a list of outcomes, and the 'workflow' and 'step' that it is of"))
        }
        guard let kept = try await context.value(FlowStep.value(name), of: workflow) else {
            throw TaskError(
                "BadWorkflow", "step \"\(name)\" of workflow \(workflow) is not kept any more", module: "chard")
        }
        return try FlowStep(reading: kept).following(outcomes, on: context.queue)
    }

    /// The error that the keyword `error` holds.
    private static func failure(_ body: MessageBody) -> TaskError {
        let json = body.keywords.first { $0.name == "error" }.flatMap { try? JSON(parsing: $0.value) }
        return json.flatMap(ExceptionInfo.init).map { TaskError($0, traceback: nil) }
            ?? TaskError("UnknownError", "nothing is known of the failure", module: "chard")
    }

    /// Revokes those members of a group that are not over.
    private static func callOff(_ context: TaskContext, _ body: MessageBody) async throws -> [UInt8] {
        func text(_ name: String) -> String? { body.keywords.first { $0.name == name }.map(\.value).text }
        guard let workflow = text("workflow"), let group = text("group") else {
            throw UnboundArguments(error: .typeError("\(CallingOff.task)() takes the 'workflow' and the 'group' of it"))
        }
        var open: [String] = []
        for id in CallingOff.tasks(of: group, in: try await context.record(workflow) ?? [:])
        where try await context.status(of: id)?.state.isReady != true {
            open.append(id)
        }
        if !open.isEmpty { try await context.revoke(open) }
        return Array("\(open.count)".utf8)
    }

    private static func chunked(_ body: MessageBody) throws -> [UInt8] {
        guard body.positional.count == 1, body.keywords.isEmpty else {
            throw UnboundArguments(
                error: .typeError("\(chunks)() takes a signature as 'task', a list as 'it' and a size above 0 as 'n'"))
        }
        return Array(body.positional[0])
    }

    /// All arguments as a list, or the one that `index` says.
    private static func accumulate(_ body: MessageBody) throws -> [UInt8] {
        guard let index = body.keywords.first(where: { $0.name == "index" })?.value,
            let place = try JSON(parsing: index).integer
        else { return Array(JSONText.array(body.positional)) }
        let real = place < 0 ? body.positional.count + place : place
        guard body.positional.indices.contains(real) else {
            throw TaskError("IndexError", "tuple index out of range")
        }
        return Array(body.positional[real])
    }
}
