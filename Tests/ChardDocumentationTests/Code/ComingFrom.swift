// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file

import ArgumentParser
import Chard
import ChardCommand
import HTTPTypes
import Hummingbird
import Logging

private enum ComingFrom {
    /// The tasks, in whichever file: `tasks` and every worker have them all.
    struct Site: TaskSet {
        /// A picture has been uploaded: scaling it blocks a thread.
        let thumbnail: TaskHandle<String, String>
        /// A poll ends at its time.
        let closePoll: TaskHandle<Void, Int>

        init(_ app: Chard) {
            thumbnail = app.blockingTask("site.thumbnail") { (path: String) -> String in path + ".small" }
            closePoll = app.task("site.close_poll") { (poll: Int) in print("poll \(poll) is closed") }
            let backup = app.task("site.backup") { () in print("backed up") }
            app.every(.seconds(60), run: backup)
        }
    }

    static let app = Chard("site")
    static let tasks = app.add(Site.self)

    struct Serve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Serves the site.")

        @Flag(help: "Also runs the tasks, in this process.")
        var alone = false

        @OptionGroup var common: CommonOptions

        func run() async throws {
            try await common.withApp { app in
                let router = Router()
                router.post("thumbnails/:name") { _, context in
                    let call = try await tasks.thumbnail.enqueue(try context.parameters.require("name"))
                    return EditedResponse(status: .accepted, response: ["id": call.id])
                }
                router.get("calls/:id") { _, context in
                    let status = try await tasks.thumbnail.result(of: try context.parameters.require("id")).status()
                    return ["state": status.state.rawValue, "result": status.result.string ?? ""]
                }
                router.post("polls/:number") { _, context in
                    let poll = try context.parameters.require("number", as: Int.self)
                    try await tasks.closePoll.enqueue(poll, in: .seconds(600))
                    return HTTPResponse.Status.created
                }
                var site = Application(router: router, configuration: .init(address: .hostname("127.0.0.1", port: 8080)))
                if alone { site.addServices(Worker(app), Beat(app)) }
                try await site.runService()
            }
        }
    }

    static func run() async {
        await app.main(commands: [Serve.self])
    }}
