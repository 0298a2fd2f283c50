// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension Chard {
    /// What an operator may ask and order of the app's broker.
    public var `operator`: Operator { Operator(self) }
}

/// What an operator may ask and order of an app's broker: all that the commands do, for programs.
///
/// ```swift
/// for queue in try await app.operator.queues.reports() where queue.waiting > 10_000 {
///     try await app.operator.queues.pause(queue.queue)
/// }
/// ```
/// Not every broker can do everything: what one cannot throws ``AppError``, which names the broker.
public struct Operator: Sendable {
    let app: Chard

    /// Makes the operator of an app.
    public init(_ app: Chard) {
        self.app = app
    }

    /// The queues, and what is in them.
    public var queues: Queues { Queues(app: app) }

    /// The messages that could not be run.
    public var deadLetters: DeadLetters { DeadLetters(app: app) }

    /// What stood where something else should, and was put aside.
    public var aside: Aside { Aside(app: app) }

    /// The tasks that wait for their time.
    public var delayedTasks: DelayedTasks { DelayedTasks(app: app) }

    /// The periodic tasks.
    public var schedules: Schedules { Schedules(app: app) }

    /// Celery's remote control: what workers, Python's and Swift's alike, can be asked and told while they work.
    public var remote: Remote { Remote(app: app) }

    /// The worker processes that are alive, by node name. Python's workers are not among them.
    public func workers() async throws -> [WorkerReport] {
        try await app.broker.with(.inspection).workers()
    }

    /// What about the broker's server endangers tasks, and how to mend it; what is as it should be, too.
    public func diagnose() async throws -> [Finding] {
        let broker = try app.broker.with(.diagnosis)
        var findings = try await broker.diagnose()
        findings += try await broker.examine()
        if let inspected = broker.power(.inspection) {
            findings += [Finding.aside(try await aside.list())].compactMap(\.self)
            let (queues, workers) = (try await inspected.queues(), try await inspected.workers())
            findings += Finding.workers(workers)
            findings += Finding.queues(queues, servedBy: workers)
            if queues.contains(where: { $0.dead > 0 }) {
                let letters = try await inspected.deadLetterSummaries(in: nil, limit: Finding.mostLetters)
                findings += Finding.growing(letters, now: app.settings.now())
            }
        }
        if broker.power(.schedules) != nil { findings += try await examineSchedules() }
        return findings
    }

    /// Whether somebody calls the tasks of schedules.
    private func examineSchedules() async throws -> [Finding] {
        let active = try await schedules.list().filter(\.isActive)
        guard !active.isEmpty, let beats = try await schedules.beats() else { return [] }
        return [Finding.schedules(active.map(\.name), beats: beats)]
    }
}
