// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import FoundationEssentials

/// `worker`: runs the program's tasks.
struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Runs this program's tasks.",
        discussion: """
            SIGTERM or SIGINT: takes no more, finishes what runs within the grace period, hands back the rest. A second \
            one, or SIGQUIT: hands everything back at once.
            """)

    @Option(
        name: [.customShort("Q"), .customLong("queues")],
        help: ArgumentHelp("Queues to serve, with commas between.", valueName: "names"))
    var queues: [String] = []

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Tasks at once; by default, four for each core.", valueName: "number"))
    var concurrency: Int?

    @Option(
        name: [.customShort("n"), .customLong("node")],
        help: ArgumentHelp("The node's name, unique; by default, the app's name @ the host's.", valueName: "name"))
    var node: String?

    @Option(help: ArgumentHelp("How long running tasks may take to finish; by default, 30.", valueName: "seconds"))
    var grace: Seconds?

    @Flag(help: "Ends when the queues are empty.")
    var drain = false

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        try await common.withSession(allowsMemory: true) { session in
            try session.app.validate()
            let worker = Worker(session.app, options: try options(session.settings))
            let signals = StopSignals(stopping: worker, output: session.output)
            defer { signals.cancel() }
            session.output.talk(try Banner(worker, session).text)
            try await worker.run {
                session.output.talk(
                    "\(worker.node) is ready: it takes work from \(worker.queues.joined(separator: ", "))")
            }
            let vitals = worker.vitals
            session.output.talk(
                "\(worker.node) has stopped: \(Words.count(vitals.done, "task")) done, \(vitals.failed) of them failed")
        }
    }

    func options(_ settings: SettingsReader) throws -> WorkerOptions {
        var options = WorkerOptions(
            queues: try settings.names(.workerQueues, flag: OptionValues.names(queues)),
            node: try settings.text(.workerNode, flag: node, named: "--node")?.value, drains: drain)
        if let concurrency = try settings.integer(.workerConcurrency, flag: concurrency) {
            options.concurrency = concurrency
        }
        if let grace {
            options.gracePeriod = grace.duration
        } else if let found = try settings.number(.workerGrace) {
            guard let seconds = Seconds(found.value) else {
                throw CommandError("\(found.origin) is not \(Setting.workerGrace.expected)", status: .misused)
            }
            options.gracePeriod = seconds.duration
        }
        return options
    }
}
