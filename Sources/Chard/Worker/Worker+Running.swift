// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import FoundationEssentials
import Logging
import Synchronization

extension Worker {
    /// Where a worker's sessions work, the same for all of them.
    private struct Workplace: Sendable {
        let broker: any Broker
        let registry: [String: RegisteredTask]
        let unknownTasks: UnknownTasks
        let control: any ControlExecutor
        let blockingPool: BlockingPool
        let observers: [any WorkerObserver]
        let events: EventSender?
        let historian: Historian?
        let startedAt: Date
    }

    /// How a worker ends.
    private enum Ending {
        case stopped
        case overrun(String)
        case failed(any Error)
    }

    func work(
        _ broker: any Broker, _ control: any ControlExecutor, _ observers: [any WorkerObserver],
        _ onReady: @escaping @Sendable () -> Void
    ) async throws {
        for store in app.keepsResultsElsewhere ? [broker, try app.results] : [broker] {
            let isReached = try await store.connect(
                within: options.brokerWait, logger: logger, while: { !sessions.isEnding },
                onTrouble: { error in for observer in observers { observer.brokerAway(node, error: error) } },
                sleep: { try await control.sleep(for: $0) })
            guard isReached else { return }
        }
        // Beside all the rest. The pause lets it ask first: a replica refuses the opening and the connection ends, with what was asked behind.
        let warning = Task(executorPreference: control) { [self] in await warn(of: broker) }
        defer { warning.cancel() }
        await Task.yield()
        let registry = app.registry
        rates.begin(with: registry.values)
        let mailbox = options.remoteControl || options.sendsEvents ? broker.power(.mailbox) : nil
        let clock = LogicalClock()
        let sender = mailbox.map { mailbox in
            EventSender(
                node: node, broker: mailbox, control: control, clock: clock, logger: logger, now: app.settings.now,
                texts: app.argumentTexts, shown: { [app] in app.shownTexts(of: $0) },
                vitals: { [weak self] in self?.vitals ?? Vitals() })
        }
        let workplace = Workplace(
            broker: broker, registry: registry, unknownTasks: UnknownTasks(known: registry.keys, logger: logger),
            control: control, blockingPool: BlockingPool { [sessions] in sessions.concurrency }, observers: observers,
            events: sender, historian: Historian(broker, logger: logger), startedAt: app.settings.now())
        defer { workplace.blockingPool.shutdown() }
        events.withLock { $0 = sender }
        if options.sendsEvents { _ = sender?.turnOn() }
        // Before the first session, so that whoever is told that the worker is ready can ask it.
        let panel =
            options.remoteControl
            ? mailbox.map { ControlPanel(self, of: app, on: $0, clock: clock, logger: logger) } : nil
        panel?.begin()
        defer { panel?.end() }
        do {
            guard try await beginSession(at: workplace, onReady: onReady) else { return }
        } catch {
            // It may say why.
            if !Task.isCancelled { await warning.value }
            throw error
        }
        let (ending, isStubborn) = await lookAfterSessions(at: workplace)
        await sender?.end()
        if isStubborn {
            // At once: what was handed back may already start elsewhere.
            options.onStubborn?("\(node) ends by force: tasks ignore their cancellation; they run again elsewhere")
        }
        await workplace.historian?.close()
        await app.fileKeeper?.finish()
        switch ending {
        case .stopped: return
        case .overrun(let text): options.onOverrun?(text)
        case .failed(let error): throw error
        }
    }

    /// Begins new sessions, as leases are lost and queues change, until all have ended. Returns why, and whether they have left
    /// bodies that do not obey.
    private func lookAfterSessions(at workplace: Workplace) async -> (Ending, isStubborn: Bool) {
        var ending: Ending?
        var isStubborn = false
        while true {
            switch await sessions.next() {
            case .queuesChanged:
                guard ending == nil, !sessions.isEnding, sessions.areQueuesOutdated else { break }
                do {
                    _ = try await beginSession(at: workplace)
                } catch {
                    logger.error(
                        "the queues stay as they were", metadata: [LogKey.error: "\(error)"])
                    sessions.keepQueues()
                }
            case .ended(let number, let end, let hasRuns):
                let wasCurrent = sessions.ended(number)
                switch end {
                case .stopped:
                    isStubborn = isStubborn || hasRuns
                    if wasCurrent { ending = ending ?? .stopped }
                case .overrun(let text):
                    ending = ending ?? .overrun(text)
                    sessions.order(.abort)
                case .failed(let error):
                    ending = ending ?? .failed(error)
                    sessions.order(.abort)
                case .leaseLost:
                    logger.warning(
                        "the lease was lost\(wasCurrent ? "; going on under a new identity" : "")")
                    guard wasCurrent, ending == nil else { break }
                    if sessions.isEnding {
                        ending = .stopped
                        break
                    }
                    do {
                        if try await !beginSession(at: workplace) { ending = .stopped }
                    } catch {
                        ending = .failed(error)
                        sessions.order(.abort)
                    }
                }
            }
            if let ending, sessions.isEmpty { return (ending, isStubborn) }
        }
    }

    // MARK: Sessions

    /// Opens a hold of the queues that are to be served, and lets a session work under it. Returns whether that was done: not
    /// if the worker was stopped before. The first one is begun with `onReady`.
    private func beginSession(at workplace: Workplace, onReady: (@Sendable () -> Void)? = nil) async throws -> Bool {
        let number = sessions.nextNumber()
        let queues = sessions.queues
        let subscription = Subscription(
            queues: queues, node: node, concurrency: options.concurrency, startedAt: workplace.startedAt,
            messageLimit: app.settings.limits.messageBytes, statusLifetimes: app.statusLifetimes,
            vitals: { [weak self] in
                guard let self else { return Vitals() }
                return vitals(running: sessions.running(in: number))
            },
            onTerminate: { [weak self] ids in self?.sessions.terminate(ids) },
            onBuried: { [weak self, events = workplace.events] statuses in
                self?.storeElsewhere(statuses)
                events?.tellBuried(statuses)
            })
        guard let consumer = try await open(subscription, at: workplace, isFirst: onReady != nil) else { return false }
        await call(options.onIdentity, consumer.identity)
        let hold = WorkerHold(node: node, identity: consumer.identity, queues: queues)
        for observer in workplace.observers { observer.holdOpened(hold) }
        let session = session(on: consumer, hold, at: workplace)
        sessions.begin(session, number: number, queues: queues)
        if let onReady {
            for observer in workplace.observers { observer.workerStarted(node) }
            await call({ onReady() }, ())
        }
        // Not a child task: a session ends in its own time, also when the worker's task was cancelled.
        Task(executorPreference: workplace.control) { [sessions] in
            let end = await session.run()
            sessions.post(.ended(number, end, hasRuns: session.hasRuns))
        }
        return true
    }

    /// Opens a hold, again and again for as long as the broker is merely away; the first one within the time that it is waited
    /// for. `nil` once stopped.
    private func open(
        _ subscription: Subscription, at workplace: Workplace, isFirst: Bool
    ) async throws -> (any Consumer)? {
        let start = ContinuousClock.now
        var reminder = Reminder()
        while true {
            do {
                return try await workplace.broker.consumer(for: subscription)
            } catch let error as BrokerError where error.isRetryable {
                if isFirst, let patience = options.brokerWait, .now - start >= patience { throw error }
                if sessions.isEnding { return nil }
                for observer in workplace.observers { observer.brokerAway(node, error: error) }
                if reminder.isDue() {
                    logger.warning("the broker is away; trying again", metadata: ["error": "\(error)"])
                }
                try await workplace.control.sleep(for: .milliseconds(500))
            }
        }
    }

    private func session(on consumer: any Consumer, _ hold: WorkerHold, at workplace: Workplace) -> WorkerSession {
        let elsewhere = app.keepsResultsElsewhere ? try? app.results : nil
        let execution = Execution(
            registry: workplace.registry, unknownTasks: workplace.unknownTasks, middleware: app.middleware,
            settings: app.settings,
            concluder: Concluder(
                node: node, seal: consumer.seal, settings: app.settings, keepsResultsElsewhere: elsewhere != nil,
                keepsJoins: (elsewhere ?? workplace.broker).power(.joins) != nil,
                keepsRecords: workplace.broker.power(.records) != nil,
                keepsMarks: elsewhere != nil && workplace.broker.power(.joins) != nil, rules: app.canvasRules),
            dependencies: app.dependencies, blockingPool: workplace.blockingPool, node: node, logger: logger,
            report: { record in
                if let elsewhere {
                    try await elsewhere.store([record])
                } else {
                    try await consumer.report([record])
                }
            },
            desk: workplace.broker.power(.records).map {
                StepDesk($0, results: elsewhere, by: consumer, for: app)
            },
            brokerTime: { [settings = app.settings] in settings.now() + consumer.clockOffset },
            isRevoked: { consumer.isRevoked($0) }, timeLimits: timeLimits, revokedStamps: revokedStamps,
            rates: rates, signing: app.signing)
        return WorkerSession(
            consumer: consumer, hold: hold, observers: workplace.observers, events: workplace.events,
            execution: execution, broker: workplace.broker, elsewhere: elsewhere, historian: workplace.historian,
            fileKeeper: app.fileKeeper, counters: counters, sessions: sessions, options: options,
            control: workplace.control, logger: logger)
    }

    // MARK: Beside the sessions

    /// Calls a user's code, which may take its time, away from the thread of control. Not on Swift's pool: there may be no
    /// thread of it left.
    private func call<News: Sendable>(_ hook: (@Sendable (News) -> Void)?, _ news: News) async {
        guard let hook else { return }
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                hook(news)
                continuation.resume()
            }
        }
    }

    /// Stores what the broker has stored of lost tasks where results are kept, too, however long that server is away.
    private func storeElsewhere(_ statuses: [StatusRecord]) {
        guard app.keepsResultsElsewhere, let results = try? app.results else { return }
        late.store(statuses, in: results)
    }

    /// Says loudly what about the broker endangers tasks.
    private func warn(of broker: any Broker) async {
        guard let findings = try? await broker.power(.diagnosis)?.diagnose() else { return }
        for finding in findings where finding.severity == .danger {
            logger.warning("tasks are in danger: \(finding.subject): \(finding.text); \(finding.advice)")
        }
    }
}
