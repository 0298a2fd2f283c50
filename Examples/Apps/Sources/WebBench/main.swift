// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import ChardCommand
import ChardHummingbird
import Hummingbird
import Pages

// One endpoint three times, for Benchmarks/web: alone, with work after its response, and with a task for a worker.

let app = Chard("web-bench")
let nothing = app.task("bench.nothing", options: TaskOptions(ignoresResult: true)) { (_: Int, _: String) in }

struct Serve: AsyncParsableCommand {
    @OptionGroup var site: SiteOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await common.withApp { app in
            let background = BackgroundTasks(app)
            let router = Router(context: TasksContext.self)
            router.add(middleware: TasksMiddleware(background: background))
            router.get("plain") { _, _ in "thank you" }
            router.get("background") { _, context in
                try context.background(nothing, 7, "cat.jpg")
                return "thank you"
            }
            router.get("enqueue") { _, context in
                try await context.enqueue(nothing, 7, "cat.jpg")
                return "thank you"
            }
            try await site.serve(app, router, background: background)
        }
    }
}

await app.main(commands: [Serve.self])
