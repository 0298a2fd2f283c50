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
func thrown<Failure: Error, Value>(_ type: Failure.Type = Failure.self, _ body: () async throws -> Value) async -> Failure? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? Failure
    }
}
