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
        try validate()
        let immediate = immediate
        let broker = immediate == nil ? try broker : nil
        let now = settings.now()
        let parent = TaskContext.current?.message
        var messages: [TaskMessage] = []
        messages.reserveCapacity(signatures.count)
        var heldByWorkers: Set<String> = []
        for signature in signatures {
            let message = try message(for: signature, now: now, parent: parent)
            if signature.options.workerHoldsETA { heldByWorkers.insert(message.id) }
            messages.append(message)
        }
        try await send(messages, through: middleware[...]) { [heldByWorkers] messages in
            if let immediate { return try await immediate.run(messages, of: self) }
            if let broker { try await self.send(messages, to: broker, heldByWorkers: heldByWorkers) }
        }
        // Not by `zip` and `map`: over a type that is not known here they allocate for each element. Nor by element: a message
        // is a large value to copy.
        var results: [AsyncResult<Output>] = []
        results.reserveCapacity(messages.count)
        for index in messages.indices {
            results.append(
                AsyncResult(
                    id: messages[index].id, app: self, keepsResult: messages[index].ignoresResult != true,
                    decode: signatures[index].decodeOutput))
        }
        return results
    }

    /// Sends a task by its name alone: for code that this program does not have.
    ///
    /// Nothing is checked here; a worker that has the task checks the arguments.
    @discardableResult
    public func send(
        _ task: String, _ arguments: Arguments = Arguments(), options: EnqueueOptions = EnqueueOptions()
    ) async throws -> AsyncResult<JSON> {
        try await enqueue(Signature(task, arguments, options: options))
    }

    /// A way to the result of any call whose id was kept.
    public func result(of id: String) -> AsyncResult<JSON> {
        AsyncResult(id: id, app: self, keepsResult: true) { try JSON(parsing: $0) }
    }

    func message<Output>(
        for signature: Signature<Output>, now: Date, parent: TaskMessage?
    ) throws -> TaskMessage {
        let call = signature.options
        let task = signature.taskOptions
        if signature.task.isEmpty { throw AppError("cannot enqueue a task whose name is the empty string") }
        if let problem = call.problem { throw AppError("cannot enqueue \(signature.task): \(problem)") }
        var message = TaskMessage(
            task: signature.task, id: call.id ?? TaskID.random(), body: signature.body,
            queue: queue(for: signature.task, call.queue ?? task.queue))
        message.eta = call.eta ?? call.countdown.map { now.addingTimeInterval($0.seconds) }
        message.expires =
            call.expiresAt ?? (call.expires ?? task.expires).map { now.addingTimeInterval($0.seconds) }
        message.timeLimits.soft = (call.softTimeLimit ?? task.softTimeLimit)?.seconds
        message.timeLimits.hard = (call.timeLimit ?? task.timeLimit)?.seconds
        message.ignoresResult = call.ignoresResult ?? (task.ignoresResult ? true : nil)
        message.shadow = call.shadow
        message.rootID = parent.map { $0.rootID ?? $0.id } ?? message.id
        message.parentID = parent?.id
        message.origin = origin
        message.headers = task.headers.merging(call.headers) { $1 }
        if let retry = call.retry { message.headers[RetryPolicy.header] = try JSON(encoding: retry) }
        message.properties.priority = call.priority ?? task.priority ?? 0
        message.properties.timestamp = Int(now.timeIntervalSince1970)
        return message
    }

    func send(
        _ messages: [TaskMessage], through middleware: ArraySlice<any Middleware>,
        to last: @Sendable ([TaskMessage]) async throws -> Void
    ) async throws {
        guard let outermost = middleware.first else { return try await last(messages) }
        try await outermost.enqueue(messages) { messages in
            try await self.send(messages, through: middleware.dropFirst(), to: last)
        }
    }

    private func send(_ messages: [TaskMessage], to broker: any Broker, heldByWorkers: Set<String>) async throws {
        let outgoing = messages.map { message in
            OutgoingMessage(
                id: message.id, queue: message.properties.routingKey, priority: message.properties.priority,
                dueAt: heldByWorkers.contains(message.id) ? nil : message.eta, payload: message.encoded())
        }
        guard let buffer else { return try await broker.send(outgoing) }
        try await buffer.send(outgoing, to: broker)
    }
}

extension RetryPolicy {
    /// The header in which a call's own policy travels.
    static let header = "chard_retry"
}

extension TaskMessage {
    /// The policy that the call brought along, if it brought one that can be read.
    var retryPolicy: RetryPolicy? {
        guard let header = headers[RetryPolicy.header] else { return nil }
        return try? header.decode(RetryPolicy.self)
    }
}
