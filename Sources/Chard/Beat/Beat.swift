// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Logging
import ServiceLifecycle
import Synchronization

/// A scheduler: sends the calls of all schedules in the app's broker at their times. Celery's name for it.
///
/// Any number may run, in one program or in many; each tick is sent once. It is a service: run it in a `ServiceGroup`, or
/// call ``run()`` and ``stop()``.
public final class Beat: Service, Sendable {
    private let app: Chard
    private let logger: Logger
    private let brokerWait: Duration?
    private let signal = Signal()
    private let isStopped = Mutex(false)
    private let stamps = Mutex(Stamps())

    private struct Stamps {
        /// When it was last seen to go on, whatever the broker says.
        var moved: ContinuousClock.Instant?
        /// When it last looked at all schedules, with the broker's answer.
        var looked: ContinuousClock.Instant?
    }

    /// It looks at the broker at least so often, in case that a change or a step of its clock went unnoticed.
    private static let look = 5.0

    /// Makes a scheduler of an app.
    /// - Parameters:
    ///   - app: Whose schedules, and whose broker.
    ///   - brokerWait: How long to wait at the start for a broker that cannot be reached; `nil` as long as it takes.
    ///   - logger: Where it says what it does; by default, a logger named `chard.beat`.
    public init(_ app: Chard, brokerWait: Duration? = nil, logger: Logger? = nil) {
        self.app = app
        self.brokerWait = brokerWait
        self.logger = logger ?? Logger(label: "chard.beat")
    }

    /// Runs until it is stopped.
    /// - Throws: ``AppError`` when the app is set up wrongly or its broker keeps no schedules; ``BrokerError`` when the broker
    ///   cannot be used, for a reason that waiting does not mend, or cannot be reached in the time that it is waited for.
    public func run() async throws {
        try await run(onReady: {})
    }

    /// Runs, and calls `onReady` once, when the app's schedules are in the broker.
    public func run(onReady: @escaping @Sendable () -> Void) async throws {
        do {
            try await withGracefulShutdownHandler {
                try await work(onReady)
            } onGracefulShutdown: {
                self.stop()
            }
        } catch is CancellationError {}
    }

    /// For how long it has not gone on, be it only to find that the broker is away; `nil` while it does not run. More than
    /// some ten seconds are too many.
    public var sinceItMoved: Duration? { stamps.withLock { $0.moved.map { .now - $0 } } }

    /// How long ago it last looked at all schedules; `nil` before the first time, and while it does not run.
    public var sinceItLooked: Duration? { stamps.withLock { $0.looked.map { .now - $0 } } }

    /// Begins to end; ``run()`` returns when that is done.
    public func stop() {
        isStopped.withLock { $0 = true }
        signal.fire()
    }

    private func work(_ onReady: @Sendable () -> Void) async throws {
        try app.checkRegistrations()
        app.attendance.enter(.beat)
        defer { app.attendance.leave(.beat) }
        stamps.withLock { $0.moved = .now }
        defer { stamps.withLock { $0 = Stamps() } }
        let store = try app.broker.with(.schedules)
        for each in app.keepsResultsElsewhere ? [store, try app.results] : [store] {
            let isReached = try await each.connect(
                within: brokerWait, logger: logger, while: { !isStopped.withLock { $0 } },
                sleep: { duration in
                    stamps.withLock { $0.moved = .now }
                    try await Task.sleep(for: duration)
                })
            guard isReached else { return }
        }
        try await app.registerSchedules()
        let watch = try await store.watchSchedules { [signal] in signal.fire() }
        onReady()
        var rounds = BeatRounds(app: app, store: store, signal: signal, logger: logger)
        var reminder = Reminder()
        while !isStopped.withLock({ $0 }) {
            try Task.checkCancellation()
            stamps.withLock { $0.moved = .now }
            do {
                let (now, next) = try await rounds.round()
                stamps.withLock { $0 = Stamps(moved: .now, looked: .now) }
                reminder = Reminder()
                let look = now.addingTimeInterval(Self.look)
                await sleep(until: next.map { min($0, look) } ?? look, from: now, store)
            } catch let error as BrokerError where error.isRetryable {
                if reminder.isDue() {
                    logger.warning("the broker is away; trying again", metadata: ["error": "\(error)"])
                }
                try await Task.sleep(for: .milliseconds(500))
            }
        }
        withExtendedLifetime(watch) {}
    }

    private func sleep(until date: Date, from now: Date, _ store: any ScheduleStore) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await store.sleep(until: date, from: now) }
            group.addTask { [signal] in await signal.wait() }
            await group.next()
            group.cancelAll()
        }
    }
}
