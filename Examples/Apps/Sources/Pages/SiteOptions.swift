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
    /// Where the site is.
    @Option(help: "The port, on the loopback address.")
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
        var site = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { [port] _ in
                print("\(app.name) is at http://127.0.0.1:\(port)/")
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
