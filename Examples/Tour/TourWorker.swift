// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardSQLite
import Logging
import ServiceLifecycle
import UnixSignals

/// A worker of the tour, the whole of its process: what a program of your own gets from `await app.main()`.
struct TourWorker {
    let file: String
    let node: String

    static let concurrency = 8

    func run() async throws {
        // Says nothing of its own beside the tour's words.
        let quiet = Logger(label: "tour") { _ in SwiftLogNoOpLogHandler() }
        let app = Chard("shop", broker: SQLiteBroker(SQLiteLocation(path: file), logger: quiet))
        app.add(Shop.self)
        let options = WorkerOptions(concurrency: Self.concurrency, node: node, gracePeriod: .seconds(10))
        let worker = Worker(app, options: options, logger: quiet)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: worker, successTerminationBehavior: .gracefullyShutdownGroup)
                ],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet))
        try await group.run()
    }
}
