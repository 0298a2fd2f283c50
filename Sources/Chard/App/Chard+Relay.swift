// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A message that is made now and sent later, by somebody else perhaps: what an outbox keeps.
package struct PendingCall<Output: Sendable>: Sendable {
    /// The message as its broker takes it.
    package let outgoing: OutgoingMessage
    /// What the call says about who holds it until its time; no message carries that along.
    package let workerHoldsETA: Bool?
    /// A way to the result.
    package let result: AsyncResult<Output>
}

extension Chard {
    /// Makes the message of a call, without sending it. Everything is checked that an enqueue checks; middleware does its work when the
    /// message is sent.
    package func prepare<Output: Sendable>(_ signature: Signature<Output>) throws -> PendingCall<Output> {
        try checkRegistrations(of: [signature.task])
        if let problem = signature.options.problemOfPart {
            throw AppError("cannot enqueue \(signature.task): \(problem)")
        }
        let parent = TaskContext.current?.message
        var message = try message(for: signature.call, now: settings.now(), parent: parent)
        // Whoever sends it later knows nothing of the trace that it was called in.
        if TraceHeaders.isTraced {
            message = SendingSpan.named(in: message, by: parent)
        } else if let parent {
            TraceHeaders.pass(from: parent.headers, to: &message.headers)
        }
        let result = AsyncResult(
            id: message.id, placement: nil, app: self, prospect: message.ignoresResult == true ? .ignored : .kept,
            decode: signature.decodeOutput)
        return PendingCall(
            outgoing: try outgoing(of: message), workerHoldsETA: message.workerHoldsETA, result: result)
    }

    /// Sends messages that were made before, each with what its call has said about who holds it until its time. Not to the send buffer,
    /// which is lost with the process: when this returns, the broker has them, but for those that middleware has left out.
    package func relay(_ calls: [(payload: [UInt8], workerHoldsETA: Bool?)]) async throws {
        let messages = try calls.map { call in
            var message = try TaskMessage(decoding: call.payload, limits: .held)
            message.workerHoldsETA = call.workerHoldsETA
            return message
        }
        let last: @Sendable ([TaskMessage]) async throws -> Enqueued
        if immediate != nil {
            let runs = try Destination(of: self)
            last = { try await runs.send($0) }
        } else {
            let broker = try broker
            last = { messages in
                var outgoing = messages.map { $0.outgoing(by: self.signing) }
                await self.letOthersHold(messages, &outgoing, broker)
                let placements = try await broker.send(outgoing)
                if self.settings.sendsSentEvents { await self.tellSent(messages, by: broker) }
                return Enqueued(messages, placements)
            }
        }
        _ = try await send(messages, through: middleware[...], to: last)
    }

    /// Whether nothing stands between a call and its broker.
    package var sendsStraight: Bool { immediate == nil && middleware.isEmpty }
}
