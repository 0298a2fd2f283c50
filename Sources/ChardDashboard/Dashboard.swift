// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Hummingbird
import Logging

/// What is going on with an app's tasks, what went wrong, and why something does not run: pages for people, JSON for programs.
///
/// ```swift
/// let dashboard = try Dashboard(app)                 // at /tasks, on localhost only
/// dashboard.addRoutes(to: router)
/// ```
/// It shows what the broker knows, over Redis and over a SQLite file: it keeps nothing of its own that matters, so it is the same after
/// its own restart, in any number of copies. However many look at it, the broker is asked as for one.
///
/// Every page is also a JSON document under the same address (`Accept: application/json`, or `?format=json`); `openapi.json` describes
/// all of them, and all that can be ordered.
public struct Dashboard: Sendable {
    /// How a dashboard is set up.
    public struct Settings: Sendable {
        /// Where it is, from the root of the site; empty or `/` for the root itself.
        public var path: String
        /// Who may use it.
        public var access: DashboardAccess
        /// Whether nothing can be changed with it, by anybody.
        public var isReadOnly: Bool
        /// Whether the arguments and results of tasks are shown.
        public var showsArguments: Bool
        /// Is told of each order, when it was carried out or refused; the log is told in any case.
        public var audit: (@Sendable (AuditEntry) async -> Void)?

        /// Where orders, and what it has no answer to, are told.
        public var logger: Logger

        /// Settings; what is not given is as usual.
        public init(
            path: String = "/tasks", access: DashboardAccess = .local, isReadOnly: Bool = false,
            showsArguments: Bool = true, audit: (@Sendable (AuditEntry) async -> Void)? = nil,
            logger: Logger = Logger(label: "chard.dashboard")
        ) {
            self.logger = logger
            self.path = path
            self.access = access
            self.isReadOnly = isReadOnly
            self.showsArguments = showsArguments
            self.audit = audit
        }
    }

    let app: Chard
    let settings: Settings
    let facts: Facts
    let templates: Templates
    let notices = Notices()
    let logger: Logger
    /// What stands before the address of each page: empty at the root.
    let base: String

    /// Makes a dashboard of an app, whose broker it reaches when somebody looks.
    public init(_ app: Chard, settings: Settings = Settings()) throws {
        self.app = app
        self.settings = settings
        logger = settings.logger
        facts = Facts(app, showsArguments: settings.showsArguments)
        base = settings.path.split(separator: "/").map { "/\($0)" }.joined()
        templates = try Templates(Dictionary(uniqueKeysWithValues: Page.all.map { ($0.path, $0.template) }))
    }

    /// Adds its routes; within a group of routes, say where that group's part of the path ends.
    public func addRoutes<Context: RequestContext>(to router: some RouterMethods<Context>, at place: String? = nil) {
        let group = router.group(RouterPath(place ?? (base.isEmpty ? "/" : base)))
        for page in Page.all {
            group.get(RouterPath(page.path)) { request, context in
                try await answer(request, context) { visitor in
                    try await show(page, to: visitor, request, context.parameters)
                }
            }
        }
        for action in Action.all {
            group.post(RouterPath(action.path)) { request, context in
                try await answer(request, context) { visitor in
                    try await perform(action, for: visitor, request, context.parameters)
                }
            }
        }
        for asset in Asset.all {
            group.get(RouterPath(asset.path)) { request, context in
                try await answer(request, context) { _ in asset.response }
            }
        }
        group.get("openapi.json") { request, context in
            try await answer(request, context) { _ in
                Response(json: OpenAPI.document(of: Page.all, Action.all, at: base))
            }
        }
    }

    /// Lets in whoever may be let in, and makes of what goes wrong a page or a JSON object.
    private func answer(
        _ request: Request, _ context: some RequestContext, _ make: (Visitor) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await make(try settings.access.visitor(of: request))
        } catch let refusal as Refusal {
            // Without the menu: who is not let in is told nothing.
            response = Response(status: refusal.status, text: refusal.text, headers: refusal.headers)
        } catch {
            response = trouble(PageError(error), request)
        }
        for field in Self.protection { response.headers[field.name] = field.value }
        return response
    }
}
