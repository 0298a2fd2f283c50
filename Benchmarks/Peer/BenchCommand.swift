// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import ChardCommand

/// A command that sends something and prints one line of JSON.
protocol BenchCommand: AsyncParsableCommand {
    /// Does it, on an app whose broker has been reached.
    func measure(_ app: Chard, _ tasks: BenchTasks) async throws -> JSON
}

extension BenchCommand {
    func run() async throws {
        let broker = try Bench.app.broker
        try await broker.connect()
        print(try await measure(Bench.app, Bench.tasks))
        await broker.shutdown()
    }
}
