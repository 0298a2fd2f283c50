// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import Dispatch
import FoundationEssentials
import Logging

/// `worker`: runs the program's tasks.
struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Runs this program's tasks.",
        discussion: """
            SIGTERM, SIGINT or the end of its terminal: takes no more, finishes what runs within the grace period, hands \
            back the rest. A second one, or SIGQUIT: hands everything back at once.

            With --json, standard output gets one JSON document a line: an event "ready" and an event "stopped", of each \
            process.

            With --processes, SIGHUP replaces the processes one by one, with no gap in service. In a single process, a \
            hard time limit settles the task as failed, but cannot end a body that ignores its cancellation; a supervisor \
            can, by replacing the process.

            With --http, /live tells whether the process should be started anew, /ready whether it takes work, and /metrics \
            what it does, for Prometheus. Of several processes the supervisor answers, for all of them.
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
        help: ArgumentHelp(
            "The node's name; by default, the app's name @ the host's. Each of several processes has its number before the @.",
            valueName: "name"),
        transform: OptionValues.name)
    var node: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How long running tasks may take to finish; by default, 30.", valueName: "seconds"))
    var grace: Seconds?

    @Flag(help: "Ends when the queues are empty.")
    var drain = false

    @Option(
        help: ArgumentHelp(
            "Processes: from two on, copies of this one under a supervisor, which replaces those that end; by default, 1.",
            valueName: "number"),
        transform: OptionValues.count(upTo: Setting.mostProcesses))
    var processes: Int?

    @Option(
        help: ArgumentHelp("A process ends, and is replaced, after so many tasks.", valueName: "number"),
        transform: OptionValues.count)
    var maxTasksPerChild: Int?

    @Option(
        help: ArgumentHelp("A process ends, and is replaced, when it is larger; on Linux only.", valueName: "MiB"),
        transform: OptionValues.count)
    var maxMemoryPerChild: Int?

    @Flag(
        name: [.customShort("E"), .customLong("task-events")],
        help: "Sends Celery's events of its tasks from the start; 'control enable_events' does it later.")
    var taskEvents = false

    @Option(help: ServiceOptions.http)
    var http: String?

    @Option(parsing: .unconditional, help: ServiceOptions.startupWait)
    var startupWait: Seconds?

    @Flag(help: "Also calls tasks at the times of their schedules, as 'beat' does.")
    var beat = false

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        try await common.withSession(allowsMemory: true) { session in
            try session.app.validate()
            var options = try options(session.settings)
            #if !os(Linux)
            if maxMemoryPerChild != nil {
                throw CommandError("--max-memory-per-child: only Linux tells how large a process is", status: .misused)
            }
            #endif
            let address = try session.settings.probeAddress(flag: http)
            let supervisor = SupervisorLink(environment: session.environment)
            let count = try session.settings.integer(.workerProcesses, flag: processes) ?? 1
            if supervisor == nil, count > 1 || maxTasksPerChild != nil || maxMemoryPerChild != nil {
                return try await supervise(count, options, address, session)
            }
            options.onStubborn = { [output = session.output] text in
                output.talk(text.printable())
                StopSignals.endNow(.done)
            }
            if let supervisor {
                if count > 1, let number = session.environment[ProcessName.variable] {
                    let name = options.node ?? Worker.defaultNode(of: session.app)
                    options.node = ProcessName.node(name, number: number)
                }
                options.onIdentity = { supervisor.report(identity: $0) }
                options.onShutdown = { supervisor.reportShutdown() }
                options.onOverrun = { [output = session.output] text in
                    output.talk(text.printable())
                    supervisor.reportOverrun()
                    StopSignals.endNow(.failed)
                }
            }
            try addLog(to: session.app, session.settings)
            // A supervisor with a watchdog has to hear from its processes, too.
            let isWatched = supervisor != nil && session.environment[ServiceManager.watchdogVariable] != nil
            let registry =
                address.map { _ in MetricRegistry.observing(session.app) } ?? (isWatched ? MetricRegistry() : nil)
            let worker = Worker(session.app, options: options)
            let manager = supervisor == nil ? ServiceManager(environment: session.environment) : nil
            let watchdog = manager.flatMap { manager in
                Watchdog(WorkerProbes(worker, of: session.app, registry ?? MetricRegistry()), for: manager)
            }
            defer { watchdog?.end() }
            let orphans = Orphans.lookAfter()
            defer { orphans?.cancel() }
            supervisor?.onSupervisorsEnd { [weak worker] in StopSignals.endWithSupervisor(worker) }
            let signals = StopSignals(stopping: worker, output: session.output) { manager?.tell("STOPPING=1") }
            defer { signals.cancel() }
            if supervisor == nil { session.output.talk(try Banner(worker, session).text) }
            StartPages.release()
            let seen = try await SeenWorker(
                worker, session, registry, at: address,
                report: supervisor.map { supervisor in { @Sendable in supervisor.report(figures: $0) } })
            try await seen.whileAnswering {
                try await run(worker, beside: beat ? Beat(session.app, brokerWait: options.brokerWait) : nil) {
                    supervisor?.reportReady()
                    manager?.tell("READY=1", "STATUS=takes work from \(worker.queues.joined(separator: ", "))")
                    Self.tellReady(worker, session)
                    // A second later, so that the first tasks do not wait for it, and what only they needed goes, too.
                    DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(1)) { StartPages.release() }
                }
            }
            let vitals = worker.vitals
            session.output.talk(
                "\(worker.node) has stopped: \(Words.count(vitals.done, "task")) done, \(vitals.failed) of them failed")
            session.announce(
                "stopped",
                ["node": .string(worker.node), "done": .integer(vitals.done), "failed": .integer(vitals.failed)])
        }
    }

    private static func tellReady(_ worker: Worker, _ session: Session) {
        session.output.talk(
            "\(worker.node) is ready: it takes work from \(worker.queues.joined(separator: ", "))".printable())
        session.announce(
            "ready",
            [
                "node": .string(worker.node), "queues": .array(worker.queues.map(JSON.string)),
                "concurrency": .integer(worker.options.concurrency),
            ])
    }

    private func addLog(to app: Chard, _ settings: SettingsReader) throws {
        let rate = try settings.number(.logRate)
        let logger = Logger(label: TaskLog.label)
        guard logger.logLevel <= .error else { return }
        app.add(observer: TaskLog(app, linesPerSecond: rate?.value ?? TaskLog.usualLinesPerSecond, logger: logger))
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

    private func supervise(
        _ count: Int, _ options: WorkerOptions, _ address: ProbeAddress?, _ session: Session
    ) async throws {
        guard !drain else { throw CommandError("--drain is for a single process", status: .misused) }
        guard !(try session.app.broker.isInMemory) else {
            throw CommandError(
                "memory:// exists only inside one process; --processes needs sqlite:/// or redis://", status: .misused)
        }
        do {
            try await session.app.broker.connect()
        } catch let error as BrokerError where error.isRetryable && options.brokerWait != .zero {
            // The processes wait for it, each by itself.
            session.output.talk("\(session.app.name): the broker is away; waiting for it: \(error)")
        }
        let worker = Worker(session.app, options: options)
        session.output.talk(try Banner(worker, session, processes: count).text)
        let manager = ServiceManager(environment: session.environment)
        let isWatched = address != nil || manager?.watchdog != nil
        let probes = isWatched ? FleetProbes(session.app, count: count) : nil
        let watchdog = probes.flatMap { Watchdog($0, for: manager) }
        defer { watchdog?.end() }
        let server = try await ProbeServer.start(at: address, probes, session)
        let supervisor = Supervisor(
            of: session.app, count: count, arguments: Array(CommandLine.arguments.dropFirst()),
            environment: session.environment, grace: options.gracePeriod,
            output: session.output.logging(as: "chard.supervisor"), probes: probes, manager: manager)
        StartPages.release()
        await supervisor.run()
        await server?.close()
        session.output.talk("\(worker.node) has stopped")
        session.announce("stopped", ["node": .string(worker.node), "processes": .integer(count)])
    }

    func options(_ settings: SettingsReader) throws -> WorkerOptions {
        var options = WorkerOptions(
            queues: try settings.names(.workerQueues, flag: NameList.names(in: queues)),
            node: try settings.text(.workerNode, flag: node, named: "--node")?.value, drains: drain)
        options.maximumTasks = maxTasksPerChild
        options.maximumMemory = maxMemoryPerChild.map { $0 << 20 }
        if let concurrency = try settings.integer(.workerConcurrency, flag: concurrency) {
            options.concurrency = concurrency
        }
        if let grace = try settings.seconds(.workerGrace, flag: grace) { options.gracePeriod = grace }
        options.sendsEvents = try settings.flag(.workerEvents, flag: taskEvents)
        options.brokerWait = try settings.seconds(.startupWait, flag: startupWait)
        return options
    }
}
