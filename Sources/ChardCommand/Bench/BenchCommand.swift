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
    /// Prepares a bench, measures on it, answers with the measurement, and cleans up whatever happens.
    func measure(_ body: (Bench) async throws -> Measurement) async throws {
        try await withSession(allowsMemory: true) { session in
            let bench = try await Bench(session.app)
            let outcome: Result<Measurement, any Error>
            do {
                outcome = .success(try await body(bench))
            } catch {
                outcome = .failure(error)
            }
            await bench.cleanUp()
            let measurement = try outcome.get()
            try session.answer(measurement.document, measurement.listing)
        }
    }
}
