// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import ChardCommand
import ChardHummingbird
import Hummingbird
import Pages

// `decisions serve` is the web server with a worker inside; with `--no-worker`, and `decisions worker` beside it, two.

let app = Chard("decisions")
let tasks = app.add(DecisionTasks.self)
app.dependencies.register(
    (any Store).self, make: { try openStore(setting("DECISIONS_DATABASE", or: "decisions.sqlite")) })
app.dependencies.register(
    Cache.self, make: { try await Cache(setting("DECISIONS_CACHE", or: "memory://")) }, close: { await $0.close() })

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serves the API, and a page to try it.")

    @OptionGroup var site: SiteOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await common.withApp { app in
            let background = BackgroundTasks(app)
            let jobs = Jobs(
                app, path: "/statuses",
                words: { state in
                    switch state {
                    case .success: "READY"
                    case .failure, .revoked: "ERROR"
                    default: "PENDING"
                    }
                })
            let router = Router(context: TasksContext.self)
            router.add(middleware: ProblemPages())
            router.add(middleware: TasksMiddleware(background: background, jobs: jobs, sendTimeout: .seconds(2)))
            jobs.addRoutes(to: router)
            try DecisionAPI(app, tasks).addRoutes(to: router)
            try await site.serve(app, router, background: background)
        }
    }
}

await app.main(commands: [Serve.self])
