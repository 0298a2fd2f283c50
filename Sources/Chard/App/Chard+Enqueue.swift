// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension Chard {
    /// Sends one call, and returns a way to its result as soon as the broker has the message.
    @discardableResult
    public func enqueue<Output: Sendable>(_ signature: Signature<Output>) async throws -> AsyncResult<Output> {
        let sent = try await send(signature.call)
        return AsyncResult(sent, of: self, decode: signature.decodeOutput)
    }

    /// Sends many calls in one round trip. When it throws, some of them may have been sent.
    @discardableResult
    public func enqueue<Output: Sendable>(_ signatures: [Signature<Output>]) async throws -> [AsyncResult<Output>] {
        try checkRegistrations(of: signatures.lazy.map(\.task))
        let batch = try batch(of: signatures)
        let enqueued = try await send(batch)
        // Not by `zip` and `map`: over a type that is not known here they allocate for each element.
        var results: [AsyncResult<Output>] = []
        results.reserveCapacity(signatures.count)
        var places = SentPlaces(in: enqueued)
        signatures.withUnsafeBufferPointer { signatures in
            for index in signatures.indices {
                let sent = SentCall(at: index, of: batch.messages, among: &places)
                results.append(AsyncResult(sent, of: self, decode: signatures[index].decodeOutput))
            }
        }
        return results
    }

    /// Sends one call, of whatever type.
    private func send(_ call: UntypedCall) async throws -> SentCall {
        try checkRegistrations(of: CollectionOfOne(call.task))
        var batch = CallBatch(by: TaskContext.current?.message)
        try add(call, to: &batch, now: settings.now())
        var places = SentPlaces(in: try await send(batch))
        return SentCall(at: 0, of: batch.messages, among: &places)
    }

    private func batch<Output: Sendable>(of signatures: [Signature<Output>]) throws -> CallBatch {
        let now = settings.now()
        var batch = CallBatch(by: TaskContext.current?.message)
        batch.messages.reserveCapacity(signatures.count)
        // By their places in memory: a signature is a large value to copy, as is a message.
        try signatures.withUnsafeBufferPointer { signatures in
            for index in signatures.indices { try add(signatures[index].call, to: &batch, now: now) }
        }
        return batch
    }

    private func send(_ batch: CallBatch) async throws -> Enqueued {
        let last: Destination
        if let durability = batch.durability {
            last = try Destination(of: self, durability: durability)
        } else {
            last = try Destination(of: self)
        }
        return try await sendTraced(batch.messages, by: batch.parent, to: last)
    }

    /// Sends a task by its name alone: for code that this program does not have.
    ///
    /// Nothing is checked here; a worker that has the task checks the arguments. The options are those of
    /// ``TaskHandle/enqueue(_:in:at:queue:priority:expires:id:options:)``.
    @discardableResult
    public func send(
        _ task: String, _ arguments: Arguments = Arguments(), in countdown: Duration? = nil, at eta: Date? = nil,
        queue: String? = nil, priority: Int? = nil, expires: Duration? = nil, id: String? = nil,
        options: EnqueueOptions = EnqueueOptions()
    ) async throws -> AsyncResult<JSON> {
        var options = options
        options.take(in: countdown, at: eta, queue: queue, priority: priority, expires: expires, id: id)
        return try await enqueue(Signature(task, arguments, options: options))
    }

    /// A way to the result of any call whose id was kept.
    public func result(of id: String) -> AsyncResult<JSON> {
        AsyncResult(id: id, placement: nil, app: self, prospect: .kept) { try JSON(parsing: $0) }
    }

    /// The message of a call.
    func message(
        for call: UntypedCall, now: Date, parent: TaskMessage?, texts: ArgumentTexts? = nil
    ) throws -> TaskMessage {
        var batch = CallBatch(by: parent)
        try add(call, to: &batch, now: now, texts: texts)
        return batch.messages[0]
    }

    /// Adds the message of a call to those that are sent together. It is filled in its place, since to copy it takes a reference to each of
    /// its texts.
    func add(_ call: UntypedCall, to batch: inout CallBatch, now: Date, texts: ArgumentTexts? = nil) throws {
        if call.task.isEmpty { throw AppError("cannot enqueue a task whose name is the empty string") }
        if let problem = call.options.problem { throw AppError("cannot enqueue \(call.task): \(problem)") }
        batch.messages.append(
            TaskMessage(
                task: call.task, id: call.options.id ?? TaskID.random(), body: call.body,
                queue: queue(for: call.task, call.options.queue ?? call.taskOptions.queue),
                texts: texts ?? argumentTexts, parameters: call.parameters ?? parameters(of: call.task)))
        try batch.messages[batch.messages.count - 1].take(call, now: now, by: batch.parent, from: origin)
        if let asked = call.options.durability { batch.durability = Durability.stricter(batch.durability, asked) }
    }

    func send(
        _ messages: [TaskMessage], through middleware: ArraySlice<any Middleware>,
        to last: @Sendable ([TaskMessage]) async throws -> Enqueued
    ) async throws -> Enqueued {
        guard let outermost = middleware.first else { return try await last(messages) }
        var enqueued = try await outermost.enqueue(messages) { messages in
            try await self.send(messages, through: middleware.dropFirst(), to: last)
        }
        enqueued.noteDrops(of: messages, by: outermost)
        return enqueued
    }

    /// Lets what waits for its time go to its queue at once, where only workers of another kind would look for it.
    func letOthersHold(_ messages: [TaskMessage], _ outgoing: inout [OutgoingMessage], _ broker: any Broker) async {
        let others = await queuesOfOthers(among: messages, broker)
        guard !others.isEmpty else { return }
        for index in messages.indices where messages[index].workerHoldsETA == nil {
            if others.contains(outgoing[index].queue) { outgoing[index].dueAt = nil }
        }
    }

    /// The queues from which nobody would bring what waits for its time in the broker, since only others' workers serve them.
    private func queuesOfOthers(among messages: [TaskMessage], _ broker: any Broker) async -> Set<String> {
        var queues: Set<String> = []
        for index in messages.indices where messages[index].eta != nil && messages[index].workerHoldsETA == nil {
            queues.insert(messages[index].properties.routingKey)
        }
        guard !queues.isEmpty, let broker = broker.power(.sharing) else { return [] }
        return await broker.queuesOfOthers(among: queues)
    }

    /// Tells Celery's tools what was sent. The messages are sent, whether or not somebody hears of it.
    func tellSent(_ messages: [TaskMessage], by broker: any Broker) async {
        guard let broker = broker.power(.mailbox) else { return }
        let node = "gen\(ProcessInfo.processInfo.processIdentifier)@\(hostName())"
        let writer = EventWriter(node: node)
        for start in stride(from: 0, to: messages.count, by: 500) {
            var text = JSONWriter()
            let now = settings.now().timeIntervalSince1970
            for message in messages[start..<min(start + 500, messages.count)] {
                writer.write("task-sent", at: now, clock: 0, to: &text) { writer in
                    writer.fields(of: message, texts: shownTexts(of: message))
                    writer.field(#""queue":"#, message.properties.routingKey)
                    writer.field(#""exchange":"#, message.properties.exchange)
                    writer.field(#""routing_key":"#, message.properties.routingKey)
                }
            }
            let isOne = messages.count == 1
            let events = isOne ? text.bytes : [UInt8(ascii: "[")] + text.bytes + [UInt8(ascii: "]")]
            try? await broker.publish(events, isOne ? "task.sent" : "task.multi", from: node)
        }
    }
}

extension TaskMessage {
    /// Takes over what a call says besides its arguments.
    fileprivate mutating func take(_ call: UntypedCall, now: Date, by parent: TaskMessage?, from sender: String) throws
    {
        eta = call.options.eta ?? call.options.countdown.map { now.addingTimeInterval($0.seconds) }
        expires =
            call.options.expiresAt
            ?? (call.options.expires ?? call.taskOptions.expires).map { now.addingTimeInterval($0.seconds) }
        timeLimits.soft = (call.options.softTimeLimit ?? call.taskOptions.softTimeLimit)?.seconds
        timeLimits.hard = (call.options.timeLimit ?? call.taskOptions.timeLimit)?.seconds
        ignoresResult = call.options.ignoresResult ?? (call.taskOptions.ignoresResult ? true : nil)
        shadow = call.options.shadow
        workerHoldsETA = call.options.workerHoldsETA
        if let parent {
            rootID = parent.rootID ?? parent.id
            parentID = parent.id
        } else {
            rootID = id
        }
        origin = sender
        headers = call.taskOptions.headers.merging(call.options.headers) { $1 }
        if let retry = call.options.retry { headers[RetryPolicy.header] = try JSON(encoding: retry) }
        properties.priority = call.options.priority ?? call.taskOptions.priority ?? 0
        noteSent(at: now)
    }
}

extension Chard {
    /// A message as its broker takes it.
    /// - Throws: ``AppError`` where it is larger or deeper than a worker takes: better now than hours later, over there.
    func outgoing(of message: TaskMessage) throws(AppError) -> OutgoingMessage {
        let outgoing = message.outgoing(by: signing)
        let (whole, body) = (outgoing.payload.count, message.body.plainSize)
        let limits = settings.limits
        if let depth = message.body.depth(above: limits.depth) {
            throw AppError(
                "cannot enqueue \(message.task): its arguments are nested \(depth) levels deep, those of the message among them, and a "
                    + "worker takes no more than \(limits.depth); send less, or raise Settings.limits here and there")
        }
        guard whole > limits.messageBytes || body > limits.bodyBytes else { return outgoing }
        let (part, size, limit) =
            whole > limits.messageBytes ? ("message", whole, limits.messageBytes) : ("body", body, limits.bodyBytes)
        throw AppError(
            "cannot enqueue \(message.task): its \(part) has \(size) bytes, and a worker takes no more than \(limit); send a "
                + "reference to what is large, or raise Settings.limits here and there")
    }
}

extension Chard {
    /// What is wrong with a call that is to be sent again and again, where its arguments are larger than a worker takes.
    func sizeProblem(of call: PeriodicCall) -> String? {
        let text = MessageBody(call.arguments).encoded()
        let size = text.count
        let limit = min(settings.limits.bodyBytes, settings.limits.messageBytes)
        if let depth = JSONDepth.of(text, above: settings.limits.depth) {
            return
                "its arguments are nested \(depth) levels deep, those of the message among them, and a worker takes no more than "
                + "\(settings.limits.depth)"
        }
        guard size > limit else { return nil }
        return
            "its arguments have \(size) bytes, and a worker takes no more than \(limit); send a reference to what is large"
    }
}

extension RetryPolicy {
    /// The header in which a call's own policy travels.
    static let header = "chard_retry"
}

extension TaskMessage {
    /// The message with what a broker must know of it.
    var outgoing: OutgoingMessage {
        OutgoingMessage(
            id: id, queue: properties.routingKey, priority: properties.priority,
            dueAt: workerHoldsETA == true ? nil : eta,
            payload: encoded())
    }

    /// The policy that the call brought along, if it brought one that can be read.
    var retryPolicy: RetryPolicy? {
        guard let header = headers[RetryPolicy.header] else { return nil }
        return try? header.decode(RetryPolicy.self)
    }
}
