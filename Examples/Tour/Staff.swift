// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// A worker that runs in this process, beside the program that sends it tasks.
struct Staff: Sendable {
    let worker: Worker
    private let run: Task<Void, any Error>

    /// Starts a worker, and returns when it takes work.
    static func start(_ app: Chard, options: WorkerOptions) async throws -> Staff {
        let worker = Worker(app, options: options)
        let (ready, signal) = AsyncStream.makeStream(of: Void.self)
        let run = Task {
            defer { signal.finish() }
            try await worker.run { signal.finish() }
        }
        for await _ in ready {}
        return Staff(worker: worker, run: run)
    }

    /// Returns when the worker has ended, and throws if it could not work.
    func ended() async throws {
        try await run.value
    }
}
