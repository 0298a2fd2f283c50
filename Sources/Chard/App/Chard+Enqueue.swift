// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension Chard {
    /// Sends one call, and returns a way to its result as soon as the broker has the message.
    @discardableResult
    public func enqueue<Output: Sendable>(_ signature: Signature<Output>) async throws -> AsyncResult<Output> {
        try await enqueue([signature])[0]
    }

    /// Sends many calls in one round trip. When it throws, some of them may have been sent.
    @discardableResult
    public func enqueue<Output: Sendable>(_ signatures: [Signature<Output>]) async throws -> [AsyncResult<Output>] {
        try checkRegistrations(of: signatures)
        let now = settings.now()
        let parent = TaskContext.current?.message
        var messages: [TaskMessage] = []
        messages.reserveCapacity(signatures.count)
        var durability: Durability?
        // By their places in memory, here and below: a signature is a large value to copy, as is a message.
        try signatures.withUnsafeBufferPointer { signatures in
            for index in signatures.indices {
                messages.append(try message(for: signatures[index], now: now, parent: parent))
                if let asked = signatures[index].options.durability {
                    durability = Durability.stricter(durability, asked)
                }
            }
        }
        let last = try durability.map { durability throws(AppError) in try destination(durability) } ?? destination
        let enqueued = try await sendTraced(messages, by: parent, to: last)
        return results(of: signatures, sentAs: messages, enqueued)
    }

    private func results<Output: Sendable>(
        of signatures: [Signature<Output>], sentAs messages: [TaskMessage], _ enqueued: Enqueued
    ) -> [AsyncResult<Output>] {
        // Not by `zip` and `map`: over a type that is not known here they allocate for each element.
        var results: [AsyncResult<Output>] = []
        results.reserveCapacity(messages.count)
        var places = SentPlaces(in: enqueued)
        signatures.withUnsafeBufferPointer { signatures in
            for index in messages.indices {
                guard let place = places.place(of: messages[index].properties.deliveryTag, givenAt: index) else {
                    let dropped = enqueued.drop(of: messages[index])
                    results.append(
                        AsyncResult(
                            id: dropped.id, placement: nil, app: self, prospect: .dropped(dropped),
                            decode: signatures[index].decodeOutput))
                    continue
                }
                results.append(
                    AsyncResult(
                        id: enqueued.messages[place].id, placement: enqueued.placement(at: place), app: self,
                        prospect: enqueued.messages[place].ignoresResult == true ? .ignored : .kept,
                        decode: signatures[index].decodeOutput))
            }
        }
        return results
    }

    /// Where messages go behind all middleware: to the broker, or straight to their runs.
    var destination: @Sendable ([TaskMessage]) async throws -> Enqueued {
        get throws(AppError) {
            if let immediate {
                return { messages in
                    try await immediate.run(messages, of: self)
                    return Enqueued(messages, placement: .ran)
                }
            }
            let broker = try broker
            return { messages in try await self.send(messages, to: broker) }
        }
    }

    /// The same for messages that replicas must have taken.
    private func destination(
        _ durability: Durability
    ) throws(AppError) -> @Sendable ([TaskMessage]) async throws -> Enqueued {
        guard immediate == nil, let broker = try broker as? any ReplicatedBroker else {
            let place = immediate == nil ? try broker.location : "immediate mode"
            throw AppError(
                "\(place) has no replicas; leave out the durability, or use a Redis server that has some")
        }
        return { messages in
            var outgoing = try messages.map { try self.outgoing(of: $0) }
            if messages.haveETA { await self.letOthersHold(messages, &outgoing, broker) }
            let placements = try await broker.send(outgoing, durability: durability)
            if self.settings.sendsSentEvents { await self.tellSent(messages, by: broker) }
            return Enqueued(messages, placements)
        }
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

    func message<Output>(
        for signature: Signature<Output>, now: Date, parent: TaskMessage?, texts: ArgumentTexts? = nil
    ) throws -> TaskMessage {
        if signature.task.isEmpty { throw AppError("cannot enqueue a task whose name is the empty string") }
        if let problem = signature.options.problem { throw AppError("cannot enqueue \(signature.task): \(problem)") }
        var message = TaskMessage(
            task: signature.task, id: signature.options.id ?? TaskID.random(), body: signature.body,
            queue: queue(for: signature.task, signature.options.queue ?? signature.taskOptions.queue),
            texts: texts ?? argumentTexts, parameters: signature.parameters ?? parameters(of: signature.task))
        message.eta = signature.options.eta ?? signature.options.countdown.map { now.addingTimeInterval($0.seconds) }
        message.expires =
            signature.options.expiresAt
            ?? (signature.options.expires ?? signature.taskOptions.expires).map { now.addingTimeInterval($0.seconds) }
        message.timeLimits.soft = (signature.options.softTimeLimit ?? signature.taskOptions.softTimeLimit)?.seconds
        message.timeLimits.hard = (signature.options.timeLimit ?? signature.taskOptions.timeLimit)?.seconds
        message.ignoresResult = signature.options.ignoresResult ?? (signature.taskOptions.ignoresResult ? true : nil)
        message.shadow = signature.options.shadow
        message.workerHoldsETA = signature.options.workerHoldsETA
        message.rootID = parent.map { $0.rootID ?? $0.id } ?? message.id
        message.parentID = parent?.id
        message.origin = origin
        message.headers = signature.taskOptions.headers.merging(signature.options.headers) { $1 }
        if let retry = signature.options.retry { message.headers[RetryPolicy.header] = try JSON(encoding: retry) }
        message.properties.priority = signature.options.priority ?? signature.taskOptions.priority ?? 0
        message.noteSent(at: now)
        return message
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

    private func send(_ messages: [TaskMessage], to broker: any Broker) async throws -> Enqueued {
        var outgoing: [OutgoingMessage] = []
        outgoing.reserveCapacity(messages.count)
        for index in messages.indices { outgoing.append(try self.outgoing(of: messages[index])) }
        if messages.haveETA { await letOthersHold(messages, &outgoing, broker) }
        let placements =
            if let buffer { try await buffer.send(outgoing, to: broker) } else { try await broker.send(outgoing) }
        if settings.sendsSentEvents { await tellSent(messages, by: broker) }
        return Enqueued(messages, placements)
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
        guard !queues.isEmpty, let broker = broker as? any SharedBroker else { return [] }
        return await broker.queuesOfOthers(among: queues)
    }

    /// Tells Celery's tools what was sent. The messages are sent, whether or not somebody hears of it.
    func tellSent(_ messages: [TaskMessage], by broker: any Broker) async {
        guard let broker = broker as? any MailboxBroker else { return }
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

extension [TaskMessage] {
    /// Whether one of them waits for its time.
    var haveETA: Bool {
        for place in indices where self[place].eta != nil { return true }
        return false
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
