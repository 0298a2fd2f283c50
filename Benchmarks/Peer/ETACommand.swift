// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import FoundationEssentials

/// `eta`: sends calls that are due at known times.
struct ETACommand: BenchCommand {
    static let configuration = CommandConfiguration(commandName: "eta", abstract: "Sends due calls with an ETA.")

    @Option(help: "How many.")
    var count: Int

    @Option(help: "Over how many seconds their times are spread.")
    var spread: Double

    @Option(help: "In how many seconds the first is due.")
    var lead: Double

    func measure(_ app: Chard, _ tasks: BenchTasks) async throws -> JSON {
        let first = Trace.now + lead
        try await app.enqueue(count) { i in
            let time = first + spread * Double(i) / Double(max(1, count))
            return try tasks.due.signature(i, time, options: EnqueueOptions(eta: Date(timeIntervalSince1970: time)))
        }
        return ["n": .integer(count)]
    }
}
