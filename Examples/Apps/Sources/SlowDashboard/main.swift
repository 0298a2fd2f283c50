// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import ChardCommand
import ChardHummingbird
import Hummingbird
import Pages

// `slow-dashboard serve` is the web server with a worker inside; with `--no-worker`, and `slow-dashboard worker` beside it, two.

let app = Chard("slow-dashboard")
let tasks = app.add(DashboardTasks.self)
app.dependencies.register(Store.self, make: { try Store(path: setting("DASHBOARD_DATABASE", or: "dashboard.sqlite")) })
app.dependencies.register(
    SlowService.self, make: { SlowService(seconds: Int(setting("DASHBOARD_SECONDS", or: "10")) ?? 10) })

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serves the site.")

    @OptionGroup var site: SiteOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await common.withApp { app in
            let background = BackgroundTasks(app)
            let jobs = Jobs(app)
            let router = Router(context: TasksContext.self)
            router.add(middleware: ProblemPages())
            router.add(middleware: TasksMiddleware(background: background, jobs: jobs))
            jobs.addRoutes(to: router)
            Dashboard(store: try app.dependencies.get(Store.self), ask: tasks.ask).addRoutes(to: router)
            try await site.serve(app, router, background: background)
        }
    }
}

await app.main(commands: [Serve.self])
