// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import FoundationEssentials

/// `bench eta`: how late scheduled tasks start.
struct BenchETACommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eta", abstract: "How late tasks start that were scheduled for a time.")

    @Option(help: ArgumentHelp("How many tasks.", valueName: "number"))
    var count = 1000

    @Option(help: ArgumentHelp("Over how long their times are spread.", valueName: "seconds"))
    var spread = 5.0

    @Option(help: ArgumentHelp("In how long the first is due.", valueName: "seconds"))
    var lead = 1.0

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func validate() throws {
        try Bench.check(("--count", count, 1...1_000_000))
        guard (0...3600).contains(spread), (0...3600).contains(lead) else {
            throw ValidationError("--spread and --lead must be between 0 and 3600.")
        }
    }

    func run() async throws {
        try await common.measure { [count, spread, lead] bench in
            let lateness = Lateness()
            let due = bench.app.task("bench.due") { (time: Double) -> Void in
                lateness.note(Date().timeIntervalSince1970 - time)
            }
            return try await bench.withWorker { worker in
                let first = Date().timeIntervalSince1970 + lead
                try await bench.app.enqueue(
                    try (0..<count).map { i in
                        let time = first + spread * Double(i) / Double(count)
                        return try due.signature(time, options: EnqueueOptions(eta: Date(timeIntervalSince1970: time)))
                    })
                try await bench.wait(for: count, on: worker)
                var measurement = Measurement("eta", count: count)
                measurement.samples = lateness.all
                return measurement
            }
        }
    }
}
