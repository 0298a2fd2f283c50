// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// `bench enqueue`: how fast calls are sent.
struct BenchEnqueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enqueue", abstract: "How fast calls are sent, one by one or in bulk.")

    @Option(help: ArgumentHelp("How many calls.", valueName: "number"))
    var count = 20_000

    @Flag(help: "Sends 500 at a time instead of one by one.")
    var bulk = false

    @Option(help: ArgumentHelp("So many callers at once share one client.", valueName: "number"))
    var callers = 1

    @Option(help: ArgumentHelp("Adds an argument of so many bytes.", valueName: "bytes"))
    var payload = 0

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func validate() throws {
        try Bench.check(
            ("--count", count, 1...Bench.most), ("--callers", callers, 1...10_000),
            ("--payload", payload, 0...Bench.most))
    }

    func run() async throws {
        try await common.measure { [count, bulk, callers, payload] bench in
            let text = payload > 0 ? String(repeating: "x", count: payload) : nil
            var measurement = Measurement("enqueue", count: count)
            let start = ContinuousClock.now
            let processor = ProcessFigures.processorSeconds
            let broker = await bench.brokerProcessorSeconds
            if bulk {
                try await bench.fill(count, payload: text)
            } else {
                try await bench.send(count, callers: callers, payload: text)
            }
            measurement.seconds = (.now - start).seconds
            measurement.workerProcessor = ProcessFigures.processorSeconds - processor
            measurement.brokerProcessor = await bench.brokerProcessorSeconds(since: broker)
            return measurement
        }
    }
}
