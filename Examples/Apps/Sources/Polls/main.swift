// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import ChardCommand
import ChardHummingbird
import ChardSQLite
import Hummingbird
import Pages

// `polls serve` is the web server with worker and beat inside; with `--no-worker` it only sends, and `polls worker` works.

let app = Chard("polls")
let tasks = app.add(PollTasks.self)
app.dependencies.register(Store.self, make: { try Store(path: setting("POLLS_DATABASE", or: "polls.sqlite")) })

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serves the site.")

    @OptionGroup var site: SiteOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await common.withApp { app in
            let store = try app.dependencies.get(Store.self)
            let outbox = try Outbox(app, in: store.database)
            let background = BackgroundTasks(app)
            let router = Router(context: TasksContext.self)
            router.add(middleware: ProblemPages())
            router.add(middleware: TasksMiddleware(background: background))
            PollSite(store: store, outbox: outbox, close: tasks.close).addRoutes(to: router)
            try await site.serve(app, router, background: background, hasBeat: site.worker, services: [outbox])
        }
    }
}

await app.main(commands: [Serve.self])
