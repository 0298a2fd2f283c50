// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// `latency`: how long from the call to the body, and to the result in the caller's hand, on an idle worker.
struct LatencyCommand: BenchCommand {
    static let configuration = CommandConfiguration(commandName: "latency", abstract: "Sends now calls one by one.")

    @Option(help: "How many.")
    var samples: Int

    func measure(_ app: Chard, _ tasks: BenchTasks) async throws -> JSON {
        var starts: [JSON] = []
        var results: [JSON] = []
        let end = ContinuousClock.now + .seconds(60)
        while starts.count < samples, .now < end {
            try await Task.sleep(for: .milliseconds(Double.random(in: 5...50)))
            let sent = Trace.now
            let clock = ContinuousClock.now
            let ran = try await tasks.now.enqueue().value(timeout: .seconds(10))
            results.append(.number((.now - clock) / .milliseconds(1)))
            starts.append(.number((ran - sent) * 1000))
        }
        return ["start": .array(starts), "result": .array(results)]
    }
}
