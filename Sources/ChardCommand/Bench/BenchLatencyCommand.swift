// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import FoundationEssentials

/// `bench latency`: how long one call takes when nothing else is to do.
struct BenchLatencyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "latency", abstract: "From the call to its start, and to its result, on an idle worker.",
        discussion: "In JSON, p50_ms and its kin are to the result, start_p50_ms to the start of the body.")

    @Option(help: ArgumentHelp("How many calls, 5 to 50 ms apart.", valueName: "number"))
    var count = 200

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func validate() throws {
        try Bench.check(("--count", count, 1...1_000_000))
    }

    func run() async throws {
        try await common.measure { [count] bench in
            try await bench.withWorker { _ in
                // The first call loads scripts and subscribes: that is the start, which is not what is measured here.
                _ = try await bench.now.enqueue().value(timeout: .seconds(10))
                var measurement = Measurement("latency", count: count)
                for _ in 0..<count {
                    try await Task.sleep(for: .milliseconds(Double.random(in: 5...50)))
                    let sent = Date().timeIntervalSince1970
                    let clock = ContinuousClock.now
                    let ran = try await bench.now.enqueue().value(timeout: .seconds(10))
                    measurement.samples.append((.now - clock).seconds)
                    measurement.starts.append(ran - sent)
                }
                return measurement
            }
        }
    }
}
