// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Hummingbird

/// Gives the handlers of a router their tasks: it runs what they leave after the response, and answers for them when the broker
/// is away.
///
/// Add it before the routes. A `BrokerError` that waiting may mend becomes `503 Service Unavailable` with `Retry-After` and a line in
/// the log, rather than an empty `500`.
public struct TasksMiddleware<Context: TasksRequestContext>: RouterMiddleware {
    private let background: BackgroundTasks
    private let jobs: Jobs?
    private let retryAfter: Duration
    private let sendTimeout: Duration?

    /// Makes one.
    ///
    /// - Parameters:
    ///   - background: Where work runs that is left for after the response.
    ///   - jobs: Where tickets are redeemed; ``TasksRequestContext/accepted(_:_:)`` needs it.
    ///   - retryAfter: What a client is told to wait for while the broker is away.
    ///   - sendTimeout: For how long ``TasksRequestContext/enqueue(_:_:)`` and ``TasksRequestContext/accepted(_:_:)`` wait for the
    ///     broker before the request is answered `503`; `nil` leaves it to the broker's own patience, on Redis five seconds. What has
    ///     not been written to the server by then is not sent any more.
    public init(
        background: BackgroundTasks, jobs: Jobs? = nil, retryAfter: Duration = .seconds(5), sendTimeout: Duration? = nil
    ) {
        self.background = background
        self.jobs = jobs
        self.retryAfter = retryAfter
        self.sendTimeout = sendTimeout
    }

    /// Answers a request.
    public func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        context.tasks.begin(background, jobs, sendTimeout)
        do {
            var response = try await next(request, context)
            let (body, tasks) = (response.body, context.tasks)
            response.body = ResponseBody(contentLength: body.contentLength) { writer in
                // Also for a client that has gone meanwhile: the handler has said that it will be done.
                defer { tasks.send() }
                try await body.write(writer)
            }
            return response
        } catch let error as BrokerError where error.isRetryable {
            context.tasks.discard()
            return Problem.brokerAway(error, request, retryAfter: retryAfter, logger: context.logger)
        } catch {
            context.tasks.discard()
            throw error
        }
    }
}
