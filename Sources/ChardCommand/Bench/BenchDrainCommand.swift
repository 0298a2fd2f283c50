// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import FoundationEssentials

/// `bench drain`: how fast a worker empties a full queue.
struct BenchDrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "How fast a worker empties a full queue, results stored.")

    @Option(help: ArgumentHelp("How many tasks.", valueName: "number"))
    var count = 100_000

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Tasks at once; by default, four for each core.", valueName: "number"))
    var concurrency: Int?

    @Option(help: ArgumentHelp("Adds an argument of so many bytes.", valueName: "bytes"))
    var payload = 0

    @Option(help: ArgumentHelp("So many tasks are scheduled for later meanwhile.", valueName: "number"))
    var scheduled = 0

    @Flag(help: "Sends Celery's events meanwhile.")
    var events = false

    @Flag(help: "Counts and measures meanwhile, as 'worker --http' does.")
    var metrics = false

    @Flag(help: "Keeps no results.")
    var ignoreResults = false

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func validate() throws {
        try Bench.check(
            ("--count", count, 1...Bench.most), ("--concurrency", concurrency ?? 1, 1...Setting.mostSlots),
            ("--payload", payload, 0...Bench.most), ("--scheduled", scheduled, 0...Bench.most))
    }

    func run() async throws {
        try await common.measure { [count, payload, concurrency, scheduled, events, metrics, ignoreResults] bench in
            if metrics { bench.app.add(observer: TaskMetrics(bench.app, factory: MetricRegistry())) }
            try await bench.fill(scheduled, options: EnqueueOptions(countdown: .seconds(36_000)))
            try await bench.fill(
                count, payload: payload > 0 ? String(repeating: "x", count: payload) : nil,
                options: EnqueueOptions(ignoresResult: ignoreResults ? true : nil))
            ProcessFigures.forgetPeakMemory()
            let broker = await bench.brokerProcessorSeconds
            let processor = ProcessFigures.processorSeconds
            var measurement = Measurement("drain", count: count)
            measurement.seconds = try await bench.withWorker(concurrency: concurrency, sendsEvents: events) { worker in
                let start = ContinuousClock.now
                try await bench.wait(for: count, on: worker)
                return (.now - start).seconds
            }
            measurement.workerProcessor = ProcessFigures.processorSeconds - processor
            measurement.brokerProcessor = await bench.brokerProcessorSeconds(since: broker)
            measurement.peakMemory = ProcessFigures.peakMemory
            return measurement
        }
    }
}
