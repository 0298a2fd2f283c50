// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// `bench`: measures this machine and broker.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measures this machine and broker.",
        discussion: """
            Tasks of its own go through a queue of its own, which is removed afterwards; their results expire within a \
            minute. The worker is in this process, with every guarantee that other workers give.
            """,
        subcommands: [
            BenchEnqueueCommand.self, BenchDrainCommand.self, BenchLatencyCommand.self, BenchETACommand.self,
        ])
}

extension CommonOptions {
    /// Prepares a bench, measures on it, answers with the measurement, and cleans up whatever happens: also after a signal.
    func measure(_ body: @escaping @Sendable (Bench) async throws -> Measurement) async throws {
        try await withSession(allowsMemory: true) { session in
            let bench = try await Bench(session.app)
            let measuring = Task { try await body(bench) }
            let signals = EndSignals { measuring.cancel() }
            defer { signals.cancel() }
            let outcome = await measuring.result
            do {
                try await bench.cleanUp()
            } catch {
                session.output.talk(
                    "what the bench left is still there: \(error); '\(session.program) purge \(bench.queue) --scheduled "
                        + "--yes' removes it")
            }
            if measuring.isCancelled { throw CommandError("interrupted") }
            let measurement = try outcome.get()
            try session.answer(measurement.document, measurement.listing)
        }
    }
}
