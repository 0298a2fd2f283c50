// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What was found out about the joins that an end counts for.
struct KnownJoins: Sendable {
    /// What a join holds whose last member this is.
    struct Ends: Sendable {
        /// The ends that are counted already, in the order of their places.
        var ends: [[UInt8]]
        /// How many of these stand at this one's place or before it.
        var before: Int
        /// Celery's result tuples of the members, where some are groups.
        var members: [UInt8]?
    }

    /// The joins that this end completes, by their group.
    var complete: [String: Ends] = [:]
    /// The joins that are over already.
    var over: Set<String> = []
    /// Why no end can be counted, where that is so: then nobody waits for what cannot come.
    var broken: TaskError?
}

/// What follows the end of a task, by what its message carries: callbacks, errbacks, the rest of a chain, and a chord that
/// waits for it. A value, told how the task ended, that gathers effects for the step that settles it.
struct Followers {
    private let message: TaskMessage
    private let queue: String
    private let embed: Embed
    private let known: KnownJoins
    private var unroller: Unroller

    /// The ends for joins, and the statuses of tasks that will never run.
    private var ends: [Effect] = []

    /// - Parameter queue: Where the task's message is from.
    init(of message: TaskMessage, on queue: String, _ embed: Embed, _ known: KnownJoins, _ rules: CanvasRules) {
        self.message = message
        self.queue = queue
        self.embed = embed
        self.known = known
        unroller = Unroller(rules, parent: message, noticeQueue: queue)
    }

    /// Everything that follows.
    var effects: [Effect] {
        ends + unroller.records.map { .record($0) } + unroller.joins.map { .open($0) }
            + unroller.messages.map { .push(outgoing($0)) }
    }

    /// Its time is waited for in the broker where a worker of ours is sure to look for it, on this task's own queue. Any other
    /// may be read by Celery's workers alone, which never look there: they are sent it at once, and hold it.
    private func outgoing(_ message: TaskMessage) -> OutgoingMessage {
        var message = message
        message.workerHoldsETA = message.properties.routingKey != queue
        return message.outgoing(by: unroller.rules.signing)
    }

    /// Whether there are messages to be sent.
    var sends: Bool { !unroller.messages.isEmpty }

    /// Celery's result tuples of what is sent.
    var children: [JSON] { unroller.children }

    /// Whether what a message carries can be read as far as it is needed next.
    static func check(_ embed: Embed) throws(CanvasError) {
        for text in embed.callbacks + embed.errbacks { _ = try Canvas(reading: text) }
        if let next = embed.chain.last { _ = try Canvas(reading: next) }
        if let chord = embed.chord { _ = try Canvas(reading: chord) }
    }

    // MARK: Ends

    /// The task has succeeded with this result.
    mutating func succeed(_ result: [UInt8]) throws(CanvasError) {
        if let arrival = try Arrival(message) { return try arrive(arrival, result[...]) }
        let callbacks = try arrive(embed.callbacks, { PartEnd.success($0, result[...]) }, of: message.id)
        try call(back: callbacks, with: result[...])
        if let next = embed.chain.last {
            try unroller.send(try Canvas(reading: next), [result[...]], before: Array(embed.chain.dropLast()))
        }
        try end(
            of: message.id, in: message.group, at: message.groupIndex, of: embed.chord, .success, result[...])
    }

    /// A workflow takes the place of the task, as with Celery's `Task.replace`: its last task gets the id, and what waits for
    /// that. Nothing is stored of the task itself.
    mutating func replace(by replacement: Replacement) throws(CanvasError) {
        let nesting = message.replacedTaskNesting + 1
        guard nesting <= Replacement.most else {
            throw CanvasError("\(message.task) was replaced \(Replacement.most) times in a row")
        }
        var canvas = replacement.canvas
        if canvas.isGroupInTheEnd {
            // Its result is one list, as that of a single task.
            var list = Canvas(task: "celery.accumulate")
            list.keywords = [MessageBody.Keyword(name: "index", value: JSONText.integer(0))]
            canvas = canvas.joined(by: list)
        }
        canvas.append(callbacks: embed.callbacks)
        canvas.append(errbacks: embed.errbacks)
        canvas.freeze(
            message.id,
            CanvasPlace(root: message.rootID, group: message.group, index: message.groupIndex, chord: embed.chord))
        guard canvas.resultID == message.id else {
            throw CanvasError(
                "the last task of what replaces \(message.task) has an id of its own, \(canvas.resultID ?? "")")
        }
        var rest: [Canvas] = []
        for text in embed.chain.reversed() { rest.append(try Canvas(reading: text)) }
        let body = rest.isEmpty ? canvas : Canvas(chain: [canvas] + rest)
        var members = try replacement.gathering?.members(before: body)
        members?.freeze(nil, CanvasPlace(root: message.rootID))
        var plan = WorkflowPlan(of: canvas)
        if let members { plan = .chain([WorkflowPlan(of: members), plan]) }
        let part = WorkflowRecord.Part(plan, sentAt: unroller.rules.now(), parent: message.id)
        // A single task in its place is known by its id already.
        if part.plan.count > 1,
            let change = part.change(
                .amend, of: message.workflowID, as: message.id, timeToLive: unroller.rules.lifetimes.usual)
        {
            ends.append(.record(change))
        }
        try unroller.send(members ?? body, [], ["replaced_task_nesting": JSONText.integer(nesting)])
    }

    /// The task has failed, or was revoked: whatever waits for it is told.
    mutating func fail(_ error: TaskError, _ state: TaskState = .failure) throws(CanvasError) {
        if let arrival = try Arrival(message) {
            return try arrive(arrival, PartEnd.failure(message.id, state, error))
        }
        let result = error.info.json.encoded()[...]
        try end(of: message.id, in: message.group, at: message.groupIndex, of: embed.chord, state, result)
        // What cannot be read keeps nobody else from being told.
        let callsErrbacks = message.headers[FailureNotice.errbacksHeader]?.bool == true
        for text in embed.chain {
            let isTold: Void? = try? never(
                try Canvas(reading: text), error, state, callsErrbacks: callsErrbacks)
            if isTold == nil { lose(text, error, state) }
        }
        let readable = embed.errbacks.filter { (try? Canvas(reading: $0)) != nil }
        // As in Celery, a task that is called off calls nobody.
        let errbacks = try arrive(readable, { PartEnd.failure($0, state, error) }, of: message.id)
        if state == .failure { try callErrbacks(errbacks, of: message.id) }
    }

    /// As Celery does it: one callback by itself, several as a group, and groups among them by themselves.
    private mutating func call(back callbacks: [ArraySlice<UInt8>], with result: ArraySlice<UInt8>) throws(CanvasError)
    {
        var single: [Canvas] = []
        for text in callbacks {
            let callback = try Canvas(reading: text)
            if callbacks.count > 1, case .group = callback.form {
                try unroller.send(callback, [result])
            } else {
                single.append(callback)
            }
        }
        if callbacks.count == 1, let only = single.first { return try unroller.send(only, [result]) }
        if !single.isEmpty { try unroller.send(Canvas(group: single), [result]) }
    }

    /// - Returns: The result tuples of what is sent: children of the task that failed, which need not be this one.
    @discardableResult
    private mutating func callErrbacks(_ errbacks: [ArraySlice<UInt8>], of id: String) throws(CanvasError) -> [JSON] {
        guard !errbacks.isEmpty else { return [] }
        var calls: [Canvas] = []
        for text in errbacks { calls.append(try Canvas(reading: text)) }
        return try unroller.sendApart(Canvas(group: calls), [JSONText.string(id)], [.parentID: JSONText.string(id)])
    }

    // MARK: Joins

    /// Counts those of the signatures that are arrivals, and returns the others; without notices, since all are told here.
    private mutating func arrive(
        _ signatures: [ArraySlice<UInt8>], _ outcome: (String) -> ArraySlice<UInt8>, of id: String
    ) throws(CanvasError) -> [ArraySlice<UInt8>] {
        var others: [ArraySlice<UInt8>] = []
        for text in signatures {
            let canvas = try Canvas(reading: text)
            if let arrival = try Arrival(canvas) {
                try arrive(arrival, outcome(id))
            } else if canvas.task != FailureNotice.task {
                others.append(text)
            }
        }
        return others
    }

    private mutating func arrive(_ arrival: Arrival, _ outcome: ArraySlice<UInt8>) throws(CanvasError) {
        if let header = arrival.calledOff { return try arrive(arrival, outcome, callingOff: header) }
        try end(
            of: arrival.id, in: arrival.group, at: arrival.index, of: arrival.body, .success, outcome,
            size: arrival.size)
    }

    /// At a join that ends at the first failure: that fails the body, and calls the other members off.
    private mutating func arrive(
        _ arrival: Arrival, _ outcome: ArraySlice<UInt8>, callingOff header: String
    ) throws(CanvasError) {
        let json = (try? JSON(parsing: outcome, limits: .held)) ?? .null
        guard let failure = PartEnd.failure(in: json) else {
            return try end(
                of: arrival.id, in: arrival.group, at: arrival.index, of: arrival.body, .success,
                (json["result"] ?? .null).encoded()[...], size: arrival.size)
        }
        guard !known.over.contains(arrival.group) else { return }
        let body = try Canvas(reading: arrival.body)
        var part = Self.part(
            of: arrival.id, in: arrival.group, at: arrival.index, .failure, failure.error.info.json.encoded()[...],
            unroller.rules)
        part.size = arrival.size
        part.closing = .firstFailure
        ends.append(.join(part))
        let isCancelled = failure.error.isCancellation
        try never(
            body, isCancelled ? failure.error : .chord(failure.id, failure.error), isCancelled ? .revoked : .failure,
            callsErrbacks: !isCancelled)
        _ = try unroller.sendApart(CallingOff.signature(of: header, in: message.workflowID, on: queue), [])
    }

    /// The end of a member of a chord's header: the last one sends the body, or fails it.
    private mutating func end(
        of id: String, in group: String?, at index: Int?, of chord: ArraySlice<UInt8>?, _ state: TaskState,
        _ result: ArraySlice<UInt8>, size: Int? = nil
    ) throws(CanvasError) {
        guard let chord, let group, !known.over.contains(group) else { return }
        if let error = known.broken { return try never(try Canvas(reading: chord), error, .failure) }
        var part = Self.part(of: id, in: group, at: index, state, result, unroller.rules)
        part.size = size
        guard let complete = known.complete[group] else { return ends.append(.join(part)) }
        let all = MemberEnds(complete, with: part)
        guard let body = try? Canvas(reading: chord) else {
            part.closing = .failure
            ends.append(.join(part))
            return lose(chord, all.failure?.chord ?? .badChord, .failure)
        }
        guard let failure = all.failure else {
            part.closing = .success
            ends.append(.join(part))
            // As in Celery, the body is no child of whichever member happens to be the last.
            _ = try unroller.sendApart(body, [all.results])
            return
        }
        part.closing = .failure
        ends.append(.join(part))
        // As in Celery, the members of a group get the error itself.
        var error = failure.chord
        if case .group = body.form { error = failure.cause }
        // Who waits for a workflow that was called off is told that, and not of the part that was the first to go.
        let isCancelled = failure.cause.isCancellation
        try never(
            body, isCancelled ? failure.cause : error, isCancelled ? .revoked : .failure, callsErrbacks: !isCancelled)
    }

    private static func part(
        of id: String, in group: String, at index: Int?, _ state: TaskState, _ result: ArraySlice<UInt8>,
        _ rules: CanvasRules
    ) -> JoinPart {
        JoinPart(
            group: group, member: id, index: index, isSuccess: state == .success,
            end: MemberEnd(id: id, state: state, result: result).encoded(), timeToLive: rules.joinsExpire)
    }

    /// The end of a member of a chord that nothing else follows, as far as nothing is known of the join; `nil` if it is in no group.
    static func end(
        of message: TaskMessage, _ state: TaskState, _ result: ArraySlice<UInt8>, _ rules: CanvasRules
    ) -> JoinPart? {
        message.group.map { part(of: message.id, in: $0, at: message.groupIndex, state, result, rules) }
    }

    /// A signature that will never run: whoever waits for it is told why.
    private mutating func never(
        _ canvas: Canvas, _ error: TaskError, _ state: TaskState, callsErrbacks: Bool = false
    ) throws(CanvasError) {
        switch canvas.form {
        case .task:
            guard let id = canvas.options[.taskID].text else { return }
            let group = canvas.options[.groupID].text
            let result = error.info.json.encoded()
            var children: [JSON] = []
            if callsErrbacks, state == .failure {
                let errbacks = try arrive(
                    canvas.options[.linkError].signatures, { PartEnd.failure($0, state, error) }, of: id)
                children = try callErrbacks(errbacks, of: id)
            }
            if canvas.options["ignore_result"].flatMap({ try? JSON(parsing: $0) })?.bool != true {
                ends.append(.store(status(of: id, canvas.task, group, state, result, children)))
            }
            try end(
                of: id, in: group, at: canvas.options[.groupIndex].integer,
                of: canvas.options[.chord].signatures.first, state, result[...])
        case .chain(let tasks), .group(let tasks):
            for task in tasks { try never(task, error, state, callsErrbacks: callsErrbacks) }
        case .chord(let header, let body):
            for task in header.flatMembers {
                var task = task
                // The body fails by itself, not through the ends of a header that never began.
                task.options[.chord] = nil
                try never(task, error, state)
            }
            try never(body, error, state, callsErrbacks: callsErrbacks)
        }
        for text in canvas.options[.chain].signatures { try never(try Canvas(reading: text), error, state) }
    }

    /// The same for what is no signature, or holds something that is none, as far as it says who waits for it.
    private mutating func lose(_ text: ArraySlice<UInt8>, _ error: TaskError, _ state: TaskState) {
        guard let json = try? JSON(parsing: text, limits: .held), let options = json["options"],
            let id = options["task_id"]?.string
        else { return }
        let result = error.info.json.encoded()
        let isTold = ends.contains { if case .store(let record) = $0 { record.id == id } else { false } }
        guard !isTold else { return }
        ends.append(.store(status(of: id, json["task"]?.string ?? "", options["group_id"]?.string, state, result, [])))
        guard let chord = options["chord"], chord["task"] != nil else { return }
        try? end(
            of: id, in: options["group_id"]?.string, at: options["group_index"]?.integer, of: chord.encoded()[...],
            state,
            result[...])
    }

    private func status(
        of id: String, _ task: String, _ group: String?, _ state: TaskState, _ result: [UInt8], _ children: [JSON]
    ) -> StatusRecord {
        var status = TaskStatus(id: id, state: state, result: result)
        if !children.isEmpty { status.children = .array(children) }
        status.dateDone = unroller.rules.now()
        status.groupID = group
        status.parentID = message.id
        return StatusRecord(status, timeToLive: unroller.rules.lifetimes[task])
    }
}
