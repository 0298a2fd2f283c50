// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ServiceLifecycle
import Testing

@testable import Chard

@Suite("The broker as a service", .timeLimit(.minutes(1)))
struct BrokerServiceTests {
    /// Writes down when it is opened and closed; all else is a memory broker's.
    private final class Door: Broker {
        let location: String
        let log: Recorder<String>
        private let memory = MemoryBroker()

        init(_ name: String = "broker", _ log: Recorder<String>) {
            location = name
            self.log = log
        }

        func connect() async throws { log.add("\(location) opened") }
        func shutdown() async { log.add("\(location) closed") }
        @discardableResult
        func send(_ messages: [OutgoingMessage]) async throws -> [Placement] { try await memory.send(messages) }
        func consumer(for subscription: Subscription) async throws -> any Consumer {
            try await memory.consumer(for: subscription)
        }
        func store(_ statuses: [StatusRecord]) async throws { try await memory.store(statuses) }
        func status(of id: String) async throws -> TaskStatus? { try await memory.status(of: id) }
        func statuses(of id: String) -> AsyncThrowingStream<TaskStatus, any Error> { memory.statuses(of: id) }
        func forget(_ id: String) async throws -> Bool { try await memory.forget(id) }
    }

    private struct Server: Service {
        let log: Recorder<String>
        let fails: Gate?

        func run() async throws {
            if let fails {
                try await fails.pass()
                throw TaskError("Broken", "the server")
            }
            try await gracefulShutdown()
            log.add("server ended")
        }
    }

    private struct Witness: WorkerObserver {
        let log: Recorder<String>

        func workerStarted(_ node: String) { log.add("worker started") }
        func workerStopped(_ node: String, error: (any Error)?) { log.add("worker ended") }
    }

    @Test("gracefully: the server ends, then the worker, then broker and results are closed")
    func graceful() async throws {
        let log = Recorder<String>()
        let app = Chard("app", broker: Door("broker", log), results: Door("results", log))
        app.add(observer: Witness(log: log))
        let worker = Worker(app, options: WorkerOptions(concurrency: 1), logger: quietLogger)
        let group = ServiceGroup(
            services: [BrokerService(app), worker, Server(log: log, fails: nil)], logger: quietLogger)
        async let running: Void = group.run()
        try await eventually("the worker runs") { log.all.contains("worker started") }
        await group.triggerGracefulShutdown()
        try await running
        let opened = ["broker opened", "results opened"]
        #expect(Set(log.all.prefix { $0 != "worker started" }) == Set(opened))
        #expect(log.all.suffix(4) == ["server ended", "worker ended", "broker closed", "results closed"])
    }

    @Test("when another service fails, the broker is there until the worker has handed back what it held")
    func cancelled() async throws {
        let log = Recorder<String>()
        let app = Chard("app", broker: Door("broker", log))
        app.add(observer: Witness(log: log))
        let gate = Gate()
        let task = app.task("t") { () in try await Task.sleep(for: .seconds(50)) }
        let worker = Worker(app, options: WorkerOptions(concurrency: 1), logger: quietLogger)
        let group = ServiceGroup(
            services: [BrokerService(app), worker, Server(log: log, fails: gate)], logger: quietLogger)
        let running = Task { try await group.run() }
        let result = try await task.enqueue()
        try await eventually("the task runs") { worker.vitals.running.map(\.id) == [result.id] }
        gate.open()
        await #expect(throws: TaskError.self) { try await running.value }
        #expect(log.all.suffix(2) == ["worker ended", "broker closed"])
    }

    /// Looks at a status for as long as it is served.
    private struct Viewer: Service {
        let result: AsyncResult<JSON>
        let log: Recorder<String>

        func run() async throws {
            for try await status in try result.statuses() { log.add(status.state.rawValue) }
            log.add("viewer ended")
        }
    }

    @Test("who looks at a status ends with the graceful shutdown, and the broker is closed after that")
    func viewers() async throws {
        let log = Recorder<String>()
        let broker = Door("broker", log)
        let app = Chard("app", broker: broker)
        try await broker.store([StatusRecord(TaskStatus(id: "x", state: .started), timeToLive: nil)])
        let group = ServiceGroup(
            services: [BrokerService(app), Viewer(result: app.result(of: "x"), log: log)],
            logger: quietLogger)
        async let running: Void = group.run()
        try await eventually("the viewer sees it") { log.all.contains("STARTED") }
        await group.triggerGracefulShutdown()
        try await running
        #expect(log.all.suffix(2) == ["viewer ended", "broker closed"])
    }

    @Test("what is kept for a broker that is away is sent before it is closed, once it is back")
    func flushed() async throws {
        let broker = RecordingBroker()
        let app = Chard("app", broker: broker, settings: Settings(sendBuffer: 5))
        let log = Recorder<String>()
        let group = ServiceGroup(
            services: [BrokerService(app), Server(log: log, fails: nil)], logger: quietLogger)
        async let running: Void = group.run()
        broker.refuse(with: BrokerError(.unavailable, "away"))
        #expect(try await app.send("t", id: "x").placement == .buffered)
        await group.triggerGracefulShutdown()
        try await eventually("the server has ended") { log.all == ["server ended"] }
        #expect(broker.sent.all.isEmpty)
        broker.refuse(with: nil)
        try await running
        #expect(broker.sent.all.flatMap { $0.map(\.id) } == ["x"])
    }
}
