// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import ChardRedis

/// `fleet`: many workers in one process, each with an app, a hold and connections of its own, until the process is ended: for
/// fleets of more processes than a machine has room for.
struct FleetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fleet", abstract: "Runs many workers in one process until it is ended.")

    @Option(help: "How many.")
    var count: Int

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<count {
                let app = Chard("bench", broker: try Bench.broker())
                _ = BenchTasks(app, trace: Bench.trace, ignoresResults: Bench.ignoresResults)
                let options = WorkerOptions(concurrency: 1, node: "bench-\(number)@fleet")
                group.addTask { try await Worker(app, options: options).run() }
                // As processes start, one after the other.
                try await Task.sleep(for: .milliseconds(5))
            }
            try await group.waitForAll()
        }
    }
}
