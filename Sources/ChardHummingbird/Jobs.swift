// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import HTTPTypes
import Hummingbird

/// Where clients redeem the tickets that ``TasksRequestContext/accepted(_:_:)`` has given out.
///
/// ```swift
/// let jobs = Jobs(app)                          // at /jobs
/// router.add(middleware: TasksMiddleware(background: background, jobs: jobs))
/// jobs.addRoutes(to: router)
/// ```
/// | request | answer |
/// |---|---|
/// | `GET /jobs/{id}` | how far it is, as JSON |
/// | `GET /jobs/{id}/result` | `200` with what the task returned; `202` while there is nothing; `410` if it was revoked or has expired; a problem (RFC 9457) after a failure |
/// | `GET /jobs/{id}/events` | server-sent events: the status, and each new one, until the task has ended |
/// | `DELETE /jobs/{id}` | revokes it, also while it runs; `409` once it has ended |
///
/// An id that was never given out is `404`, one whose ticket is known and whose result has been forgotten `410`. Tickets are kept beside
/// the results: any process of the app, on any machine, knows those of all others.
public struct Jobs: Sendable {
    /// Decides whether a request may see a job; see ``init(_:path:words:retryAfter:ticketLifetime:mayAccess:)``.
    public typealias Access = @Sendable (_ request: Request, _ id: String) async throws -> Bool

    let app: Chard
    let path: String
    let words: @Sendable (TaskState) -> String
    let retryAfter: Duration
    let tickets: Tickets
    private let mayAccess: Access?

    /// Makes a place for jobs.
    ///
    /// - Parameters:
    ///   - app: The app whose tasks they are.
    ///   - path: Where clients find it, from the root of the site.
    ///   - words: What states are called; by default by Celery's names.
    ///   - retryAfter: How long a client is told to wait before it looks again.
    ///   - ticketLifetime: For how long it is known that an id was given out, at least; after the task's own time, if it has one.
    ///   - mayAccess: Decides who may see and revoke a job; who may not gets `404`, as for an unknown one. Without it anyone may
    ///     who knows an id that nobody can guess: ids that are no random UUIDs are not served.
    public init(
        _ app: Chard, path: String = "/jobs", words: @escaping @Sendable (TaskState) -> String = { $0.rawValue },
        retryAfter: Duration = .seconds(1), ticketLifetime: Duration = .seconds(7 * 86_400), mayAccess: Access? = nil
    ) {
        self.app = app
        self.path = "/" + path.split(separator: "/").joined(separator: "/")
        self.words = words
        self.retryAfter = retryAfter
        tickets = Tickets(app, lifetime: ticketLifetime)
        self.mayAccess = mayAccess
    }

    /// Adds the routes at the path that was given; within a group of routes, say where that group's part of it ends.
    public func addRoutes<Context: RequestContext>(to router: some RouterMethods<Context>, at place: String? = nil) {
        let group = router.group(RouterPath(place ?? path))
        group.get("{id}") { request, context in
            try await answer(request, context) { id, job in
                Response(status: .ok, json: document(of: job, id), headers: job.state.isReady ? [:] : wait)
            }
        }
        group.get("{id}/result") { request, context in
            try await answer(request, context) { id, job in result(of: job, id) }
        }
        group.get("{id}/events") { request, context in
            try await answer(request, context) { id, job in events(of: job, id, request) }
        }
        group.delete("{id}") { request, context in
            try await answer(request, context) { id, job in
                guard !job.state.isReady else {
                    return Problem(.conflict, "The job has ended already: it is \(words(job.state)).").response()
                }
                try await app.operator.revoke([id], terminating: true)
                return Response(status: .accepted, json: document(of: job, id), headers: wait)
            }
        }
    }

    // MARK: Answers

    private var wait: HTTPFields { Problem.wait(retryAfter) }

    private func answer(
        _ request: Request, _ context: some RequestContext,
        _ make: (String, TaskStatus) async throws -> Response
    ) async throws -> Response {
        let id = try context.parameters.require("id")
        guard try await isServed(id, to: request) else { return unknown }
        do {
            if let status = try await app.results.status(of: id) { return try await make(id, status) }
            switch try await tickets.prospect(of: id) {
            case .unknown: return unknown
            case .expired:
                return Problem(.gone, "The result of this job was kept for its time, and is forgotten.").response()
            case .pending: return try await make(id, TaskStatus(id: id, state: .pending))
            }
        } catch let error as BrokerError where error.isRetryable {
            return Problem.brokerAway(error, request, retryAfter: retryAfter, logger: context.logger)
        }
    }

    private func isServed(_ id: String, to request: Request) async throws -> Bool {
        if let mayAccess { return try await mayAccess(request, id) }
        // Version 4, all of it random.
        guard let uuid = UUID(uuidString: id)?.uuid else { return false }
        return uuid.6 >> 4 == 4 && uuid.8 >> 6 == 2
    }

    private var unknown: Response { Problem(.notFound, "There is no such job.").response() }

    private func result(of job: TaskStatus, _ id: String) -> Response {
        switch job.state {
        case .success:
            return Response(status: .ok, text: Array(job.resultText), headers: [:])
        case .revoked:
            return Problem(.gone, "The job was revoked.").response()
        case .failure:
            let error = job.error
            return Problem(
                .internalServerError, error.map { "\($0)" } ?? "The task has failed.",
                [
                    "type": "urn:chard:task-failed", "title": "The task has failed",
                    "instance": .string("\(path)/\(id)"),
                    "exception": .string(error?.type ?? ""), "message": .string(error?.message ?? ""),
                ]
            ).response()
        default:
            return Response(status: .accepted, json: document(of: job, id), headers: wait)
        }
    }

    /// What a client is told of a job.
    func document(of job: TaskStatus, _ id: String) -> JSON {
        let place = "\(path)/\(id)"
        var document: [String: JSON] = [
            "id": .string(id), "status": .string(words(job.state)),
            "links": [
                "self": .string(place), "result": .string("\(place)/result"), "events": .string("\(place)/events"),
            ],
        ]
        if job.state == .progress { document["progress"] = job.result }
        if let error = job.exception { document["error"] = .string("\(error)") }
        return .object(document)
    }

    func accept<Output>(_ signature: Signature<Output>) async throws -> Response {
        let call = try await tickets.give(for: signature)
        var headers = wait
        headers[.location] = "\(path)/\(call.id)"
        let job = TaskStatus(id: call.id, state: .pending)
        return Response(status: .accepted, json: document(of: job, call.id), headers: headers)
    }
}
