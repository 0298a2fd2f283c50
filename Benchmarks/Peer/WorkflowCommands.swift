// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// `chord`: sends members and a body, and waits for the body's result.
struct ChordCommand: BenchCommand {
    static let configuration = CommandConfiguration(
        commandName: "chord", abstract: "Sends echo calls and a body that counts them, and waits for that.")

    @Option(help: "How many members.")
    var count: Int

    func measure(_ app: Chard, _ tasks: BenchTasks) async throws -> JSON {
        let calls = try group((0..<count).map { try tasks.echo.signature($0) }).then(tasks.total)
        let start = ContinuousClock.now
        let result = try await calls.enqueue()
        let sent = ContinuousClock.now
        guard try await result.value(timeout: .seconds(600)) == count else {
            throw ValidationError("members are missing")
        }
        return [
            "n": .integer(count), "sent": .number((sent - start) / .seconds(1)),
            "seconds": .number((ContinuousClock.now - start) / .seconds(1)),
        ]
    }
}

/// `chain`: sends a chain, and waits for its last result.
struct ChainCommand: BenchCommand {
    static let configuration = CommandConfiguration(
        commandName: "chain", abstract: "Sends a chain of echo calls, and waits for the last one.")

    @Option(help: "How many links.")
    var count: Int

    func measure(_ app: Chard, _ tasks: BenchTasks) async throws -> JSON {
        var chain = try tasks.echo.signature(1).workflow
        for _ in 1..<max(2, count) { chain = try chain.then(tasks.echo) }
        let start = ContinuousClock.now
        _ = try await chain.enqueue().value(timeout: .seconds(600))
        return ["n": .integer(count), "seconds": .number((ContinuousClock.now - start) / .seconds(1))]
    }
}
