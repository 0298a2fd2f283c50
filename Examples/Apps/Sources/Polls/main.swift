// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import ChardCommand
import ChardHummingbird
import Foundation
import Hummingbird

// `polls serve` is the web server with a worker inside; with `--no-worker` it only sends, and `polls worker` works.

let app = Chard("polls")
let tasks = app.add(PollTasks.self)
app.dependencies.register(Store.self, make: { try Store(path: PollSettings.database) })

enum PollSettings {
    static var database: String { ProcessInfo.processInfo.environment["POLLS_DATABASE"] ?? "polls.sqlite" }
}

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serves the site.")

    @Option(help: "The port, on the loopback address.")
    var port = 8080

    @Flag(inversion: .prefixedNo, help: "Runs a worker in this process, too.")
    var worker = true

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await common.withApp { app in
            let background = BackgroundTasks(app)
            let router = Router(context: TasksContext.self)
            router.add(middleware: TasksMiddleware(background: background))
            PollSite(store: try app.dependencies.get(Store.self), close: tasks.close).addRoutes(to: router)
            var site = Application(
                router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)),
                onServerRunning: { [port] _ in print("polls is at http://127.0.0.1:\(port)/") })
            site.addTasks(of: app, background: background, worker: worker ? WorkerOptions() : nil)
            try await site.runService()
        }
    }
}

await app.main(commands: [Serve.self])
