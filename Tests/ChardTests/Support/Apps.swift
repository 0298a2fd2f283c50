// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Logging

@testable import Chard

/// An app on a memory broker of its own.
func makeApp(_ name: String = "app", settings: Settings = Settings()) -> (app: Chard, broker: MemoryBroker) {
    let broker = MemoryBroker()
    return (Chard(name, broker: broker, settings: settings), broker)
}

/// Runs a worker for as long as `body` takes, then stops it at once.
@discardableResult
func withWorker<Value>(
    _ app: Chard, concurrency: Int = 2, queues: [String] = [], grace: Duration = .seconds(20),
    _ body: (Worker) async throws -> Value
) async throws -> Value {
    let options = WorkerOptions(queues: queues, concurrency: concurrency, node: "test@here", gracePeriod: grace)
    let worker = Worker(app, options: options, logger: quietLogger)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await worker.run() }
        let value = try await body(worker)
        worker.stop(.now)
        try await group.waitForAll()
        return value
    }
}

let quietLogger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// What `body` threw, as a type of error.
func thrown<Failure: Error, Value>(_ type: Failure.Type = Failure.self, _ body: () async throws -> Value) async
    -> Failure?
{
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? Failure
    }
}

extension MemoryBroker {
    /// The ids of what waits in a queue, the next one first; takes them out.
    func takeAll(from queue: String = "celery") async throws -> [String] {
        try await takeAllMessages(from: queue).map(\.id)
    }

    func takeAllMessages(from queue: String = "celery") async throws -> [TaskMessage] {
        let consumer = try await consumer(
            for: Subscription(queues: [queue], node: "reader@here", concurrency: 1, startedAt: settings.now()))
        guard try await !consumer.isDrained() else { return [] }
        let deliveries = try await consumer.claim(upTo: 10_000)
        _ = try await consumer.settle(deliveries.map { Settlement($0) })
        await consumer.close()
        return try deliveries.map { try TaskMessage(decoding: $0.payload) }
    }

    /// Takes away the holds of all consumers, as if their processes were lost.
    func loseConsumers() async throws {
        for worker in try await workers() {
            change { state, now in state.end(worker.identity, isLost: true, now: now) }
        }
    }
}
