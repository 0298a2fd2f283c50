// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import TestServers
import Testing

@testable import ChardRedis

@Suite("A Redis broker as a service", .timeLimit(.minutes(2)))
struct ServiceTests {
    @Test("a group connects it, runs a worker on it, and closes all its connections when the worker has ended")
    func group() async throws {
        try await BrokerBench.with { bench in
            let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let broker = RedisBroker(try RedisURL(bench.server.url), eventLoopGroup: loops)
            #expect(broker.client.eventLoop === loops.next(), "the connections are where they were asked to be")
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
            try await eventually("nobody is connected but who asks") {
                try await bench.server.cli("CLIENT", "LIST").split(separator: "\n").count == 1
            }
            // Whoever gave the loops may end them now.
            try await loops.shutdownGracefully()
            let other = try bench.broker()
            #expect(try await other.status(of: result.id)?.result == 7)
            await other.shutdown()
        }
    }
}
