// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Tracing

/// The span of one run, named and described as OpenTelemetry's instrumentation of Celery does: `run/shop.add`.
struct RunSpan: Sendable {
    private let span: any Tracing.Span

    /// Begins the span of a run, as a child of the one that its message names. From then on the run's message names this one: for
    /// the log, and for what follows the task.
    init(of run: inout TaskRun) {
        var message = run.message
        let parent = TraceHeaders.context(in: message.headers)
        span = InstrumentationSystem.tracer.startSpan("run/\(message.task)", context: parent, ofKind: .consumer)
        TraceHeaders.write(span.context, to: &message.headers)
        span.describe(message, action: "run", queue: run.queue)
        span.attributes["celery.hostname"] = run.surroundings.node
        span.attributes["celery.retries"] = message.retries
        if message.losses > 0 { span.attributes["chard.losses"] = message.losses }
        run = TaskRun(
            run.task, message, run.body, queue: run.queue, cancellation: run.cancellation, in: run.surroundings,
            trace: span.context)
    }

    /// Ends it with what the run came to.
    func end(_ outcome: Outcome) {
        switch outcome {
        case .success: span.attributes["celery.state"] = "SUCCESS"
        case .failure(let error, _):
            span.attributes["celery.state"] = "FAILURE"
            span.fail(with: error)
        case .retry(_, let cause):
            span.attributes["celery.state"] = "RETRY"
            span.attributes["celery.retry.reason"] = "\(cause)"
        case .revoked(let word):
            span.attributes["celery.state"] = "REVOKED"
            span.attributes["celery.revoked.reason"] = word
        case .replaced: span.attributes["celery.state"] = "REPLACED"
        case .ignored: span.attributes["celery.state"] = "IGNORED"
        case .requeued, .rejected: span.attributes["celery.state"] = "REJECTED"
        case .returned: span.attributes["celery.state"] = "HANDED_BACK"
        case .unreadable, .tooEarly, .rateLimited: break
        }
        span.end()
    }
}
