// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardHummingbird
import Hummingbird
import Logging
import ServiceLifecycle
import Synchronization
import TestServers

/// A web server with tasks, on a free port of this process.
struct Site: Sendable {
    let app: Chard
    let background: BackgroundTasks
    let jobs: Jobs
    let port: Int
    let group: ServiceGroup

    /// Serves for as long as `body` takes, then shuts down gracefully, and waits for that.
    static func with(
        _ app: Chard, afterFailure: BackgroundTasks.AfterFailure = .stops, grace: Duration = .seconds(20),
        worker: Bool = false, jobs: Jobs? = nil, sendTimeout: Duration? = nil, words: Words = Words(),
        routes: (Router<TasksContext>, Words) -> Void, _ body: (Site) async throws -> Void
    ) async throws {
        let quiet = Logger(label: "site") { _ in words }
        let background = BackgroundTasks(app, afterFailure: afterFailure, grace: grace, logger: quiet)
        let jobs = jobs ?? Jobs(app)
        let router = Router(context: TasksContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: TasksMiddleware(background: background, jobs: jobs, sendTimeout: sendTimeout))
        jobs.addRoutes(to: router)
        routes(router, words)
        let port = try FreePort.find()
        let started = Mutex(false)
        var site = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { _ in started.withLock { $0 = true } }, logger: quiet)
        site.addTasks(of: app, background: background, worker: worker ? WorkerOptions(concurrency: 2) : nil)
        let group = ServiceGroup(services: [site], logger: quiet)
        async let running: Void = group.run()
        do {
            try await eventually("the server runs") { started.withLock { $0 } }
            try await body(Site(app: app, background: background, jobs: jobs, port: port, group: group))
        } catch {
            await group.triggerGracefulShutdown()
            try? await running
            throw error
        }
        await group.triggerGracefulShutdown()
        try await running
    }
}

/// What was said, in this order.
final class Words: LogHandler {
    private let state = Mutex<[String]>([])

    var all: [String] { state.withLock { $0 } }
    func add(_ word: String) { state.withLock { $0.append(word) } }

    // A logger's lines are words as well, from warnings on.
    func log(event: LogEvent) {
        if event.level >= .warning {
            add("\(event.level): \(event.message)\(event.metadata.map { " \($0)" } ?? "")")
        }
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .warning }
        set {}
    }
}
