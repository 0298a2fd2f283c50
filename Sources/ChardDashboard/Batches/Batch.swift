// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// The same done to many, one after the other, with a progress to look at. It runs in the server's process and ends with it.
actor Batch {
    private(set) var progress: BatchProgress
    /// What is left of them is not kept once it is over.
    private var ids: [String]
    private let step: BatchStep
    private let now: @Sendable () -> Date
    private var running: Task<Void, Never>?

    /// So many are under way at once: the broker has others to serve.
    private static let width = 4
    /// So often, a second apart, it is tried whether a broker that is away has come back.
    private static let patience = 60

    init(
        _ ids: [String], _ step: BatchStep, named name: String, for user: String,
        now: @escaping @Sendable () -> Date
    ) {
        self.ids = ids
        self.step = step
        self.now = now
        progress = BatchProgress(id: name, deed: step.deed, user: user, total: ids.count, startedAt: now())
    }

    /// Begins, and returns at once.
    func start() {
        guard running == nil else { return }
        running = Task { await self.run() }
    }

    /// Lets it end before it is through. Returns whether it was running.
    func cancel() -> Bool {
        guard progress.state == .running else { return false }
        running?.cancel()
        return true
    }

    /// Waits for its end.
    func finish() async { await running?.value }

    private func run() async {
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, id) in ids.enumerated() {
                    if index >= Self.width { try await group.next() }
                    try Task.checkCancellation()
                    group.addTask { try await self.treat(id) }
                }
                try await group.waitForAll()
            }
            progress.state = .done
        } catch is CancellationError {
            progress.state = .cancelled
        } catch  where Task.isCancelled {
            progress.state = .cancelled
        } catch {
            progress.state = .failed
            progress.trouble = "\(error)"
        }
        ids = []
        progress.endedAt = now()
    }

    private nonisolated func treat(_ id: String) async throws {
        var attempts = 0
        while true {
            do {
                await count(try await step.perform(id), of: id)
                return
            } catch let error as BrokerError where error.isRetryable && attempts < Self.patience {
                attempts += 1
                try await Task.sleep(for: .seconds(1))
            } catch let error as BrokerError where !error.isRetryable {
                return await count(.refused("\(error)"), of: id)
            }
        }
    }

    private func count(_ end: BatchStep.End, of id: String) { progress.count(end, of: id) }
}
