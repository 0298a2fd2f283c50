// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import ServiceLifecycle

/// The batches of this process: those that run, and the last that have ended.
actor Batches {
    private var batches: [(name: String, batch: Batch)] = []

    /// More do not run at once.
    static var mostRunning: Int { 4 }
    /// More are not remembered.
    private static var mostKept: Int { 50 }
    /// A batch has no more ids than this.
    static var mostIDs: Int { 20_000 }

    /// Begins a batch over these ids, each of them once; `nil` where too many run already.
    func start(
        _ ids: [String], _ step: BatchStep, for user: String, now: @escaping @Sendable () -> Date
    ) async -> (name: String, batch: Batch)? {
        var running = 0
        var ended: [String] = []
        for (name, batch) in batches {
            if await batch.progress.state == .running { running += 1 } else { ended.append(name) }
        }
        guard running < Self.mostRunning else { return nil }
        if batches.count >= Self.mostKept, let oldest = ended.first { batches.removeAll { $0.name == oldest } }
        var seen: Set<String> = []
        let unique = ids.filter { seen.insert($0).inserted }
        let name = String(UInt64.random(in: .min ... .max), radix: 36)
        let batch = Batch(Array(unique.prefix(Self.mostIDs)), step, named: name, for: user, now: now)
        batches.append((name, batch))
        await batch.start()
        // It goes on after the answer, and ends with the server.
        Task { await cancelling(batch) }
        return (name, batch)
    }

    /// One of them; `nil` where there is none of this name.
    subscript(name: String) -> Batch? { batches.first { $0.name == name }?.batch }

    /// How far they are, the newest first.
    func progress() async -> [BatchProgress] {
        var progress: [BatchProgress] = []
        for (_, batch) in batches.reversed() { progress.append(await batch.progress) }
        return progress
    }

    private nonisolated func cancelling(_ batch: Batch) async {
        await withGracefulShutdownHandler {
            await batch.finish()
        } onGracefulShutdown: {
            Task { _ = await batch.cancel() }
        }
    }
}
