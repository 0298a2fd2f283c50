// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Tracing

/// The span of one call, or of many that are sent together: `apply_async/shop.add`.
struct SendingSpan: Sendable {
    private let span: any Tracing.Span

    /// Begins the span, as a child of what runs here, and names it in the messages.
    /// - Parameter sender: The message of the task that sends.
    init(of messages: inout [TaskMessage], by sender: TaskMessage?) {
        let parent = ServiceContext.current ?? sender.map { TraceHeaders.context(in: $0.headers) } ?? .topLevel
        let task = messages.first?.task ?? ""
        span = InstrumentationSystem.tracer.startSpan("apply_async/\(task)", context: parent, ofKind: .producer)
        if messages.count == 1 {
            span.describe(messages[0], action: "apply_async", queue: messages[0].properties.routingKey)
        } else {
            span.attributes["celery.action"] = "apply_async"
            span.attributes["celery.task_name"] = task
            span.attributes["messaging.batch.message_count"] = messages.count
        }
        for index in messages.indices { TraceHeaders.write(span.context, to: &messages[index].headers) }
    }

    /// A message that is sent later, with the span of its call, which is over.
    static func named(in message: TaskMessage, by sender: TaskMessage?) -> TaskMessage {
        var messages = [message]
        Self(of: &messages, by: sender).span.end()
        return messages[0]
    }

    /// Runs what sends inside the span, and ends it.
    func whileSending<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            let result = try await ServiceContext.withValue(span.context, operation: body)
            span.end()
            return result
        } catch {
            span.fail(with: error)
            span.end()
            throw error
        }
    }
}

extension Tracing.Span {
    func describe(_ message: TaskMessage, action: String, queue: String) {
        attributes["celery.action"] = action
        attributes["celery.task_name"] = message.task
        attributes["messaging.message.id"] = message.id
        attributes["messaging.destination.name"] = queue
    }

    func fail(with error: any Error) {
        recordError(error)
        setStatus(SpanStatus(code: .error, message: "\(error)"))
    }
}
