// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import FoundationEssentials

/// `backlog`: fills the queue, and the set of scheduled tasks, as fast as it can.
struct BacklogCommand: BenchCommand {
    static let configuration = CommandConfiguration(commandName: "backlog", abstract: "Fills queue and schedule.")

    @Option(help: "How many echo calls.")
    var count: Int

    @Option(help: "How many due calls, ten hours ahead.")
    var eta: Int

    func measure(_ app: Chard, _ tasks: BenchTasks) async throws -> JSON {
        let time = Trace.now + 36_000
        let options = EnqueueOptions(eta: Date(timeIntervalSince1970: time))
        try await app.enqueue(eta) { try tasks.due.signature($0, time, options: options) }
        try await app.enqueue(count) { try tasks.echo.signature($0) }
        return ["n": .integer(count)]
    }
}
