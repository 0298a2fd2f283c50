// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import Logging

/// Shows a page to browsers where they would see JSON or nothing at all: while the broker is away, at an address that is none, behind an
/// error. Add it before the `TasksMiddleware`.
public struct ProblemPages<Context: RequestContext>: RouterMiddleware {
    /// Makes one.
    public init() {}

    /// Answers a request.
    public func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard request.headers[.accept]?.contains("text/html") == true else { return try await next(request, context) }
        do {
            let response = try await next(request, context)
            guard response.status == .serviceUnavailable else { return response }
            var page = Page.problem(
                "Not now",
                "The task queue cannot be reached at the moment, and nothing was done. Go back and try again."
            ).page(.serviceUnavailable)
            page.headers[.retryAfter] = response.headers[.retryAfter]
            return page
        } catch let error as HTTPError {
            let isMissing = error.status == .notFound
            return Page.problem(
                isMissing ? "Not found" : "Not possible",
                isMissing ? "There is no page at this address." : error.body ?? "\(error.status.reasonPhrase)."
            )
            .page(error.status)
        } catch {
            context.logger.error("answered 500", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            return Page.problem("Something is wrong", "That did not work, and the site's log says why.")
                .page(.internalServerError)
        }
    }
}
