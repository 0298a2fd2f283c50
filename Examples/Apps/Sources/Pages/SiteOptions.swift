// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import ChardCommand
import ChardHummingbird
import Foundation
import Hummingbird
import ServiceLifecycle

/// What every `serve` command of the examples takes, and does.
public struct SiteOptions: ParsableArguments {
    /// Who reaches the site.
    @Option(help: "The address to listen at; in a container 0.0.0.0, else only the container itself reaches it.")
    public var host = "127.0.0.1"

    /// Where the site is.
    @Option(help: "The port.")
    public var port = 8080

    /// Whether a worker runs beside the web server.
    @Flag(inversion: .prefixedNo, help: "Runs a worker in this process, too.")
    public var worker = true

    /// Makes options of which none was given.
    public init() {}

    /// Serves a site until the process is told to end, then shuts down in the right order.
    public func serve(
        _ app: Chard, _ router: Router<TasksContext>, background: BackgroundTasks, hasBeat: Bool = false,
        services: [any Service] = []
    ) async throws {
        router.get("/health") { _, _ in "the site answers\n" }
        var site = Application(
            router: router, configuration: .init(address: .hostname(host, port: port)),
            onServerRunning: { [host, port] _ in
                print("\(app.name) is at http://\(host):\(port)/")
                fflush(nil)
            })
        site.addTasks(of: app, background: background, worker: worker ? WorkerOptions() : nil, hasBeat: hasBeat)
        site.addServices(services)
        try await site.runService()
    }
}

/// A setting of an app from the environment, such as `POLLS_DATABASE`.
public func setting(_ name: String, or usual: String) -> String {
    ProcessInfo.processInfo.environment[name] ?? usual
}
