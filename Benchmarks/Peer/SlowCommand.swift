// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// `slow`: sends calls that sleep.
struct SlowCommand: BenchCommand {
    static let configuration = CommandConfiguration(commandName: "slow", abstract: "Sends slow calls.")

    @Option(help: "How many.")
    var count: Int

    @Option(help: "How long each sleeps.")
    var seconds: Double

    func measure(_ app: Chard, _ tasks: BenchTasks) async throws -> JSON {
        try await app.enqueue(count) { try tasks.slow.signature($0, seconds) }
        return ["n": .integer(count)]
    }
}
