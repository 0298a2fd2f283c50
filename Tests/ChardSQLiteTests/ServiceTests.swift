// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Logging
import ServiceLifecycle
import Testing

@testable import ChardSQLite

@Suite("A file's broker as a service", .timeLimit(.minutes(1)))
struct ServiceTests {
    @Test("a group opens it, runs a worker on it, and closes it when the worker has finished what ran")
    func group() async throws {
        try await Bench.with { bench in
            let broker = bench.broker()
            let app = Chard("app", broker: broker)
            let hasStarted = Signal()
            let task = app.task("t") { () in
                hasStarted.fire()
                try await Task.sleep(for: .milliseconds(100))
                return 7
            }
            let group = ServiceGroup(
                services: [BrokerService(app), Worker(app, options: WorkerOptions(concurrency: 1))],
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            async let running: Void = group.run()
            let result = try await task.enqueue()
            await hasStarted.wait()
            await group.triggerGracefulShutdown()
            try await running
            let error = await #expect(throws: BrokerError.self) { try await task.enqueue() }
            #expect(error?.code == .closed)
            let other = bench.broker()
            #expect(try await other.status(of: result.id)?.result == 7)
            await other.shutdown()
        }
    }
}
