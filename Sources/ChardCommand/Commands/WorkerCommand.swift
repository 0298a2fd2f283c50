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
            SIGTERM, SIGINT or the end of its terminal: takes no more, finishes what runs within the grace period, hands \
            back the rest. A second one, or SIGQUIT: hands everything back at once.

            With --processes, SIGHUP replaces the processes one by one, with no gap in service. In a single process, a \
            hard time limit settles the task as failed, but cannot end a body that ignores its cancellation; a supervisor \
            can, by replacing the process.
            """)

    @Option(
        name: [.customShort("Q"), .customLong("queues")],
        help: ArgumentHelp("Queues to serve, with commas between.", valueName: "names"),
        transform: OptionValues.list)
    var queues: [String] = []

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Tasks at once; by default, four for each core.", valueName: "number"),
        transform: OptionValues.count(upTo: Setting.mostSlots))
    var concurrency: Int?

    @Option(
        name: [.customShort("n"), .customLong("node")],
        help: ArgumentHelp("The node's name, unique; by default, the app's name @ the host's.", valueName: "name"),
        transform: OptionValues.name)
    var node: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How long running tasks may take to finish; by default, 30.", valueName: "seconds"))
    var grace: Seconds?

    @Flag(help: "Ends when the queues are empty.")
    var drain = false

    @Option(
        help: ArgumentHelp("Copies of this process, under a supervisor; by default, 1.", valueName: "number"),
        transform: OptionValues.count(upTo: Setting.mostProcesses))
    var processes: Int?

    @Option(
        help: ArgumentHelp("A process ends, and is replaced, after so many tasks.", valueName: "number"),
        transform: OptionValues.count)
    var maxTasksPerChild: Int?

    @Option(
        help: ArgumentHelp("A process ends, and is replaced, when it is larger.", valueName: "MiB"),
        transform: OptionValues.count)
    var maxMemoryPerChild: Int?

    @Flag(help: "Also calls tasks at the times of their schedules, as 'beat' does.")
    var beat = false

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        try await common.withSession(allowsMemory: true) { session in
            try session.app.validate()
            var options = try options(session.settings)
            let lifeline = Lifeline(environment: session.environment)
            let count =
                try session.settings.integer(.workerProcesses, flag: processes, upTo: Setting.mostProcesses) ?? 1
            if lifeline == nil, count > 1 || maxTasksPerChild != nil || maxMemoryPerChild != nil {
                return try await supervise(count, options, session)
            }
            options.onStubborn = { [output = session.output] text in
                output.talk(text)
                StopSignals.endNow(.done)
            }
            if let lifeline {
                options.onIdentity = { lifeline.report(identity: $0) }
                options.onOverrun = { [output = session.output] text in
                    output.talk(text)
                    StopSignals.endNow(.failed)
                }
            }
            let worker = Worker(session.app, options: options)
            lifeline?.onSupervisorsEnd { [weak worker] in StopSignals.endWithSupervisor(worker) }
            let signals = StopSignals(stopping: worker, output: session.output)
            defer { signals.cancel() }
            if lifeline == nil { session.output.talk(try Banner(worker, session).text) }
            try await run(worker, beside: beat ? Beat(session.app) : nil) {
                lifeline?.reportReady()
                session.output.talk(
                    "\(worker.node) is ready: it takes work from \(worker.queues.joined(separator: ", "))")
                StartPages.release()
            }
            let vitals = worker.vitals
            session.output.talk(
                "\(worker.node) has stopped: \(Words.count(vitals.done, "task")) done, \(vitals.failed) of them failed")
        }
    }

    /// Runs a worker, and a beat for as long. If the beat cannot go on, neither does the worker.
    private func run(
        _ worker: Worker, beside beat: Beat?, onReady: @escaping @Sendable () -> Void
    ) async throws {
        guard let beat else { return try await worker.run(onReady: onReady) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await beat.run()
                } catch {
                    worker.stop(.gracefully)
                    throw error
                }
            }
            defer { beat.stop() }
            try await worker.run(onReady: onReady)
            beat.stop()
            try await group.waitForAll()
        }
    }

    private func supervise(_ count: Int, _ options: WorkerOptions, _ session: Session) async throws {
        guard !drain else { throw CommandError("--drain is for a single process", status: .misused) }
        guard !(try session.app.broker is MemoryBroker) else {
            throw CommandError(
                "memory:// exists only inside one process; --processes needs sqlite:/// or redis://", status: .misused)
        }
        try await session.app.broker.connect()
        let worker = Worker(session.app, options: options)
        session.output.talk(try Banner(worker, session, processes: count).text)
        let supervisor = Supervisor(
            of: session.app, count: count, arguments: Array(CommandLine.arguments.dropFirst()),
            environment: session.environment, grace: options.gracePeriod, output: session.output)
        StartPages.release()
        await supervisor.run()
        session.output.talk("\(worker.node) has stopped")
    }

    func options(_ settings: SettingsReader) throws -> WorkerOptions {
        var options = WorkerOptions(
            queues: try settings.names(.workerQueues, flag: OptionValues.names(queues)),
            node: try settings.text(.workerNode, flag: node, named: "--node")?.value, drains: drain)
        options.maximumTasks = maxTasksPerChild
        options.maximumMemory = maxMemoryPerChild.map { $0 << 20 }
        if let concurrency = try settings.integer(.workerConcurrency, flag: concurrency, upTo: Setting.mostSlots) {
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
