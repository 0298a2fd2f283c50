// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Calls that run at once, for the list of their results.
public struct Group<Element: Sendable>: Sendable {
    let canvas: Canvas
    let app: Chard?
    let decode: @Sendable ([UInt8]) throws -> Element

    init(_ canvas: Canvas, app: Chard?, decode: @escaping @Sendable ([UInt8]) throws -> Element) {
        self.canvas = canvas
        self.app = app
        self.decode = decode
    }

    /// Goes on, once all have succeeded, with a task that takes the list of their results, in their order: Celery's chord. If
    /// one of them fails, so does this, with `ChordError`.
    public func then<Next: Sendable, each Extra: Codable & Sendable>(
        _ next: TaskHandle<Next, [Element], repeat each Extra>, with extra: repeat each Extra,
        options: EnqueueOptions = EnqueueOptions()
    ) throws -> Workflow<Next> where Element: Codable {
        let step = try next.step(repeat each extra, options: options)
        return Workflow(canvas.joined(by: step), app: app ?? next.app, decode: next.decodeOutput)
    }

    /// Sends them all, and returns a way to their results.
    @discardableResult
    public func enqueue() async throws -> GroupResult<Element> {
        guard let app else {
            throw AppError("this group begins with a call by name alone: send it with app.enqueue(_:)")
        }
        return try await app.enqueue(self)
    }
}

/// Calls that run at once.
///
/// ```swift
/// let pages = try await group(urls.map { try fetch.signature($0) }).enqueue().values(timeout: .seconds(60))
/// ```
public func group<Part: WorkflowPart>(_ parts: some Sequence<Part>) throws -> Group<Part.Output> {
    guard parts.underestimatedCount <= Canvas.mostMembers else { throw Canvas.tooMany }
    var members: [Canvas] = []
    var first: Workflow<Part.Output>?
    for part in parts {
        let workflow = try part.workflow
        members.append(try workflow.part)
        guard members.count <= Canvas.mostMembers else { throw Canvas.tooMany }
        if first?.app == nil { first = workflow }
    }
    guard let first else { throw AppError("a group has at least one member") }
    let canvas = Canvas(group: members)
    try canvas.checkDepth(Canvas.deepest * 10)
    return Group(canvas, app: first.app, decode: first.decode)
}

/// Calls of a task for each item, so many items in one message, for a list of results from each message: Celery's chunks.
///
/// ```swift
/// let sizes = try await group(measure, over: files, inChunksOf: 100).enqueue().values()   // a list of lists
/// ```
/// For items that take less time than a message costs. What runs in one message fails as one.
public func group<Output: Sendable, Item: Codable & Sendable>(
    _ task: TaskHandle<Output, Item>, over items: [Item], inChunksOf size: Int,
    options call: EnqueueOptions = EnqueueOptions()
) throws -> Group<[Output]> {
    guard size > 0 else { throw AppError("\(task.name): a chunk has at least one item, not \(size)") }
    if let problem = call.problemOfPart { throw AppError("cannot enqueue \(task.name): \(problem)") }
    guard items.count / size < Canvas.mostMembers else { throw Canvas.tooMany }
    let signature = Canvas(task: task.name).encoded()
    // `celery.starmap` is on every worker, the task that it calls is not.
    let queue = JSONText.string(task.app.queue(for: task.name, call.queue ?? task.options.queue))
    var members: [Canvas] = []
    for start in stride(from: 0, to: items.count, by: size) {
        var calls: [ArraySlice<UInt8>] = []
        for item in items[start..<min(start + size, items.count)] {
            calls.append(JSONText.array([try JSON.encode(item)[...]]))
        }
        var part = Canvas(task: "celery.starmap")
        part.keywords = [
            MessageBody.Keyword(name: "task", value: signature),
            MessageBody.Keyword(name: "it", value: JSONText.array(calls)),
        ]
        part.isImmutable = true
        part.take(call, over: task.options)
        part.options["queue"] = queue
        members.append(part)
    }
    return Group(Canvas(group: members), app: task.app) { [decode = task.decodeOutput] text in
        guard let elements = JSONText.elements(text[...]) else {
            throw TaskError.typeError(
                "a list of results was expected, not \(String(decoding: text.prefix(100), as: UTF8.self))")
        }
        return try elements.map { try decode(Array($0)) }
    }
}
