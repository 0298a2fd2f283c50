// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// `enqueue`: sends `echo` calls as fast as it can.
struct EnqueueCommand: BenchCommand {
    static let configuration = CommandConfiguration(commandName: "enqueue", abstract: "Sends echo calls.")

    @Option(help: "How many.")
    var count: Int

    @Flag(help: "With the bulk API instead of one by one.")
    var bulk = false

    @Option(help: "Bytes of text to send with each.")
    var payload = 0

    @Option(help: "So many callers at once share the client.")
    var callers = 1

    func measure(_ app: Chard, _ tasks: BenchTasks) async throws -> JSON {
        let text = payload > 0 ? String(repeating: "x", count: payload) : nil
        let signature = { @Sendable (i: Int) in
            if let text { try tasks.echoPayload.signature(i, text) } else { try tasks.echo.signature(i) }
        }
        let start = ContinuousClock.now
        let cpu = processorSeconds()
        if bulk {
            try await app.enqueue(count, signature)
        } else {
            try await withThrowingTaskGroup { group in
                for caller in 0..<callers {
                    group.addTask {
                        for i in stride(from: caller, to: count, by: callers) {
                            try await app.enqueue(try signature(i))
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        return [
            "n": .integer(count), "seconds": .number((.now - start) / .seconds(1)),
            "cpu": .number(processorSeconds() - cpu), "how": .string(bulk ? "bulk" : "one"),
        ]
    }
}
