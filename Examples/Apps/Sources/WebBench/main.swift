// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import ChardCommand
import ChardHummingbird
import Hummingbird
import Pages

// Two endpoints, each three times, for Benchmarks/web: alone, with work after its response, and with a task for a worker. One answers with
// two words, the other with a page of thirty rows.

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
            add(to: router, "words") { "thank you" }
            add(to: router, "page") { page() }
            try await site.serve(app, router, background: background)
        }
    }
}

@Sendable func page() -> HTML {
    let rows = (1...30).map { row -> HTML in
        "<tr><td>\("Question <\(row)>")</td><td class=\"number\">\(row * 7)</td></tr>"
    }
    return Page("Thirty rows", "<table>\(rows)</table>").html
}

func add(
    to router: Router<TasksContext>, _ name: String, _ answer: @escaping @Sendable () -> some ResponseGenerator
) {
    let task = nothing
    router.get("\(name)/plain") { _, _ in answer() }
    router.get("\(name)/background") { _, context in
        try context.background(task, 7, "cat.jpg")
        return answer()
    }
    router.get("\(name)/enqueue") { _, context in
        try await context.enqueue(task, 7, "cat.jpg")
        return answer()
    }
}

await app.main(commands: [Serve.self])
