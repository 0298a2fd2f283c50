// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A workflow of named steps, each of which waits for those that it names: for their results, which it takes as arguments, or for their
/// mere success.
///
/// ```swift
/// var flow = Flow(app)
/// let cart = try flow.step("cart", load.signature(7))
/// let price = try flow.step("price", quote, taking: cart)
/// let stock = try flow.step("stock", reserve, taking: cart)
/// try flow.signal("approve", timeout: .seconds(86_400))
/// let receipt = try flow.step("ship", ship, taking: price, stock, after: ["approve"])
/// let result = try await flow.enqueue(returning: receipt)
/// ```
/// A step begins as soon as all that it waits for has succeeded; where something has failed, the step fails with the same
/// error, and so does what waits for it. Steps run wherever their tasks are, in Swift or in Python. In between, builtin tasks of Swift
/// workers carry the flow on, on a queue that these serve.
public struct Flow: Sendable {
    /// A step of a flow, by the type of what it returns.
    public struct Step<Output: Sendable>: Sendable {
        /// Its name.
        public let name: String
        /// The flow that it is of.
        let flow: String
        let decode: @Sendable ([UInt8]) throws -> Output
    }

    private struct Part: Sendable {
        var name: String
        var canvas: Canvas
        /// Those whose results it takes, and then those that it merely waits for.
        var takes: [String] = []
        var after: [String] = []
        var isSignal = false
        var timeout: Duration?

        var waitsFor: [String] { takes + after.filter { !takes.contains($0) } }
        /// How many outcomes come before it begins.
        var outcomes: Int { waitsFor.count + (isSignal ? 1 : 0) }

        /// Where the outcome of a step stands among them; that of the signal is the first.
        func place(of step: String) -> Int? { waitsFor.firstIndex(of: step).map { $0 + (isSignal ? 1 : 0) } }
    }

    private let app: Chard
    private let queue: String?
    private let id = TaskID.random()
    private var parts: [Part] = []
    /// How many steps a flow may have.
    static let mostSteps = 1_000

    /// Makes a flow without steps.
    /// - Parameters:
    ///   - app: Where the flow will be sent.
    ///   - queue: The queue of the builtin tasks that carry it on, which Swift workers must serve. By default that of its first
    ///     step whose task is one of this app.
    public init(_ app: Chard, queue: String? = nil) {
        self.app = app
        self.queue = queue
    }

    /// Adds a call that has all its arguments, once the steps that `after` names have succeeded.
    /// - Throws: ``AppError`` if there is a step of that name.
    @discardableResult
    public mutating func step<Output: Sendable>(
        _ name: String, _ call: Signature<Output>, after: [String] = []
    ) throws -> Step<Output> {
        var canvas = try call.canvas()
        canvas.options[.taskID] = nil
        canvas.isImmutable = true
        try add(Part(name: name, canvas: canvas, after: after))
        return Step(name: name, flow: id, decode: call.decodeOutput)
    }

    /// Adds a task that takes the results of other steps, once these and those that `after` names have succeeded.
    /// - Throws: ``AppError`` if there is a step of that name.
    @discardableResult
    public mutating func step<Output: Sendable, each Input: Codable & Sendable>(
        _ name: String, _ task: TaskHandle<Output, repeat each Input>, taking inputs: repeat Step<each Input>,
        after: [String] = [], options: EnqueueOptions = EnqueueOptions()
    ) throws -> Step<Output> {
        var takes: [String] = []
        for input in repeat each inputs { takes.append(input.name) }
        if let problem = options.problemOfPart { throw AppError("cannot enqueue \(task.name): \(problem)") }
        var canvas = Canvas(task: task.name)
        canvas.take(options, over: task.options)
        canvas.options[.taskID] = nil
        try add(Part(name: name, canvas: canvas, takes: takes, after: after))
        return Step(name: name, flow: id, decode: task.decodeOutput)
    }

    /// Adds a step that waits for a signal from outside, which ``WorkflowResult/signal(_:with:)`` gives, and has its payload as its result.
    /// - Parameters:
    ///   - name: The step's name.
    ///   - payload: What the signal brings.
    ///   - timeout: How long to wait, from when the flow is sent; then the step fails with `SignalTimeout`. `nil` sets no limit.
    ///   - after: Steps that it waits for, too.
    @discardableResult
    public mutating func signal<Payload: Codable & Sendable>(
        _ name: String, of payload: Payload.Type, timeout: Duration? = nil, after: [String] = []
    ) throws -> Step<Payload> {
        // Returns its first argument.
        var canvas = Canvas(task: "celery.accumulate")
        canvas.keywords = [MessageBody.Keyword(name: "index", value: JSONText.integer(0))]
        try add(Part(name: name, canvas: canvas, after: after, isSignal: true, timeout: timeout))
        return Step(name: name, flow: id, decode: OutputCoder<Payload>.codable().decode)
    }

    /// The same for a signal of which nothing matters but that it comes.
    @discardableResult
    public mutating func signal(
        _ name: String, timeout: Duration? = nil, after: [String] = []
    ) throws -> Step<JSON> {
        try signal(name, of: JSON.self, timeout: timeout, after: after)
    }

    private mutating func add(_ part: Part) throws(AppError) {
        if part.name.isEmpty { throw AppError("a step of a flow has the empty string as its name") }
        guard !parts.contains(where: { $0.name == part.name }) else {
            throw AppError("a flow has two steps of the name \"\(part.name)\"; give each one of its own")
        }
        guard parts.count < Self.mostSteps else {
            throw AppError("a flow has more than \(Self.mostSteps) steps; let a step be a group, or a flow of its own")
        }
        parts.append(part)
    }

    // MARK: Sending

    /// Sends what can begin at once, and returns a way to the result of one of the steps.
    /// - Throws: ``AppError`` if a step waits for one that there is not, or for itself by way of others.
    public func enqueue<Output: Sendable>(returning step: Step<Output>) async throws -> AsyncResult<Output> {
        guard step.flow == id else { throw AppError("step \"\(step.name)\" is of another flow") }
        let root = TaskID.random()
        let ids = Dictionary(uniqueKeysWithValues: parts.map { ($0.name, TaskID.random()) })
        try await send(root, ids)
        var result = AsyncResult(
            id: ids[step.name] ?? "", placement: nil, app: app, prospect: .kept, decode: step.decode)
        result.workflowID = root
        return result
    }

    private func send(_ root: String, _ ids: [String: String]) async throws {
        let ordered = try inOrder()
        try app.validate()
        guard let store = try app.recordStore else {
            throw AppError("\(try app.broker.location) keeps no records, so that no flow can be sent")
        }
        let queue = try self.queue ?? ownQueue(ordered)
        func id(of part: Part) -> String { ids[part.name] ?? "" }
        let joins = Dictionary(uniqueKeysWithValues: ordered.map { ($0.name, TaskID.random()) })
        func arrival(at part: Part, _ place: Int) -> Arrival {
            Arrival(
                id: TaskID.random(), group: joins[part.name] ?? "", index: place, size: part.outcomes,
                body: FlowStep.beginning(part.name, id: id(of: part), of: root, on: queue).encoded(), isSuccess: true)
        }
        var changes: [RecordChange] = []
        func keep(_ name: String, _ value: [UInt8]) {
            changes.append(RecordChange(.list, root, name, value, timeToLive: app.canvasRules.joinsExpire))
        }
        let plan = WorkflowPlan.group(
            id: root,
            ordered.map { .task(id: id(of: $0), name: "\($0.name): \($0.isSignal ? "signal" : $0.canvas.task)") })
        let map = FlowMap(
            steps: ordered.map {
                FlowMap.Step(
                    name: $0.name, id: id(of: $0), join: joins[$0.name] ?? "", waitsFor: $0.waitsFor,
                    isSignal: $0.isSignal)
            }, queue: queue)
        keep(FlowMap.value, map.encoded())
        let now = app.settings.now()
        let parent = TaskContext.current?.message
        if let change = WorkflowRecord.Part(plan, sentAt: now, parent: nil).change(
            .list, of: root, as: root, timeToLive: app.canvasRules.joinsExpire)
        {
            changes.append(change)
        }
        var unroller = Unroller(app.canvasRules, parent: parent, root: root)
        for part in ordered {
            var canvas = part.canvas
            for next in ordered {
                guard let place = next.place(of: part.name) else { continue }
                var arrival = arrival(at: next, place)
                canvas.append(callbacks: [arrival.signature(on: queue).encoded()])
                arrival.isSuccess = false
                canvas.append(errbacks: [arrival.signature(on: queue).encoded()])
            }
            if part.isSignal {
                canvas.options["queue"] = JSONText.string(queue)
                var signal = arrival(at: part, 0)
                keep(
                    FlowStep.signal(part.name),
                    Array(JSONText.array([JSONText.string(id(of: part)), signal.signature(on: queue).encoded()])))
                if let timeout = part.timeout, app.immediate == nil {
                    signal.isSuccess = false
                    let error = TaskError(
                        "SignalTimeout", "no signal \"\(part.name)\" within \(timeout.seconds) seconds", module: "chard"
                    )
                    var late = signal.signature(on: queue)
                    late.keywords.append(
                        MessageBody.Keyword(name: "error", value: error.info.json.encoded()[...]))
                    late.options["countdown"] = JSON.number(timeout.seconds).encoded()[...]
                    try unroller.send(late.called(with: [JSONText.string(id(of: part))]))
                }
            }
            keep(
                FlowStep.value(part.name), FlowStep(canvas, inputs: part.isSignal ? 1 : part.takes.count).encoded())
            if part.outcomes == 0 {
                canvas.options[.taskID] = JSONText.string(id(of: part))
                try unroller.send(canvas)
            }
        }
        try await store.change(changes)
        let last = try Destination(of: app)
        _ = try await app.send(unroller.messages, through: app.middleware[...], to: { try await last.send($0) })
    }

    /// The steps, each behind those that it waits for.
    private func inOrder() throws(AppError) -> [Part] {
        let names = Set(parts.map(\.name))
        for part in parts {
            for name in part.waitsFor where !names.contains(name) {
                throw AppError(
                    "step \"\(part.name)\" waits for \"\(name)\", and the flow has no step of that name; it has "
                        + parts.map { "\"\($0.name)\"" }.joined(separator: ", "))
            }
        }
        guard !parts.isEmpty else { throw AppError("a flow has at least one step") }
        var ordered: [Part] = []
        var done: Set<String> = []
        var rest = parts
        while !rest.isEmpty {
            let ready = rest.filter { $0.waitsFor.allSatisfy(done.contains) }
            guard !ready.isEmpty else {
                throw AppError(
                    "these steps wait for one another, so that none of them can begin: "
                        + rest.map { "\"\($0.name)\"" }.joined(separator: ", "))
            }
            ordered += ready
            done.formUnion(ready.map(\.name))
            rest.removeAll { done.contains($0.name) }
        }
        return ordered
    }

    private func ownQueue(_ parts: [Part]) throws(AppError) -> String {
        let registry = app.registry
        guard let task = parts.lazy.map(\.canvas.task).first(where: { registry[$0] != nil }) else {
            throw AppError(
                "none of the flow's tasks is one of \(app.name), so that no queue is known which Swift workers serve, and these carry "
                    + "it on: name one, Flow(app, queue: \"swift\")")
        }
        return app.queue(for: task, registry[task]?.options.queue)
    }
}

extension WorkflowResult {
    /// Gives a step of a flow the signal that it waits for; see ``Flow/signal(_:of:timeout:after:)``. It may come before the step waits. The
    /// first signal counts.
    /// - Throws: ``AppError`` if the workflow waits for no such signal, or not any more.
    public func signal(_ name: String, with payload: some Encodable & Sendable) async throws {
        try await signal(name, payload: try JSON.encode(payload))
    }

    /// The same without a payload.
    public func signal(_ name: String) async throws { try await signal(name, payload: Array("null".utf8)) }

    private func signal(_ name: String, payload: [UInt8]) async throws {
        guard let store = try app.recordStore, let record = try await store.record(id) else {
            throw AppError("nothing is known of a workflow \(id), so that it waits for no signal")
        }
        guard let value = record[FlowStep.signal(name)], let parts = JSONText.elements(value[...]), parts.count == 2
        else {
            let others = record.keys.filter { $0.hasPrefix(FlowStep.signal("")) }.sorted()
                .map { $0.dropFirst(FlowStep.signal("").count) }
            throw AppError(
                "workflow \(id) waits for no signal \"\(name)\"; "
                    + (others.isEmpty ? "it waits for none at all" : "it knows \(others.joined(separator: ", "))"))
        }
        let step = ArraySlice<UInt8>?(parts[0]).text ?? ""
        if record[WorkflowRecord.cancelled] != nil { throw AppError("workflow \(id) was called off") }
        if let status = try await app.results.status(of: step), status.state.isReady {
            throw AppError(
                "workflow \(id) does not wait for \"\(name)\" any more: that step is \(status.state.rawValue)")
        }
        var unroller = Unroller(app.canvasRules, parent: nil, root: id)
        try unroller.send(try Canvas(reading: parts[1]).called(with: [payload[...]]))
        let last = try Destination(of: app)
        _ = try await app.send(unroller.messages, through: app.middleware[...], to: { try await last.send($0) })
    }
}
