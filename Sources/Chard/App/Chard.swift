// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Synchronization

/// An app: its tasks, where they are sent, and the broker that carries them.
///
/// ```swift
/// let app = Chard("shop")
/// let add = app.task("shop.add") { (x: Int, y: Int) in x + y }
/// let sum = try await add.enqueue(2, 3).value(timeout: .seconds(5))
/// ```
/// Register tasks, routes, middleware and dependencies first; what is wrong with them is told, all at once, by
/// ``validate()``, which every worker and the first enqueue call.
public final class Chard: Sendable {
    /// The app's name, part of node names and of the origin written into messages.
    public let name: String
    /// Lifetimes, limits, the source of time.
    public let settings: Settings
    /// What tasks need besides their arguments.
    public let dependencies = Dependencies()

    /// This process, as messages name their sender.
    let origin: String

    private struct State {
        var broker: (any Broker)?
        var results: (any ResultStore)?
        var tasks: [String: RegisteredTask] = [:]
        var problems: [String] = []
        var schedules: [Schedule] = []
        var routes = Routes()
        var middleware: [any Middleware] = []
        var immediate: ImmediateMode?
    }
    private let state: Mutex<State>
    private let time: AppTime
    let buffer: SendBuffer?

    /// Makes an app. Without a broker here, `ChardCommand` sets the one that `--broker` or `CHARD_BROKER_URL` names.
    /// Statuses and results are kept in `results`, or in the broker where that is `nil`.
    public init(
        _ name: String, broker: (any Broker)? = nil, results: (any ResultStore)? = nil, settings: Settings = Settings()
    ) {
        self.name = name
        time = AppTime(settings.now)
        var settings = settings
        settings.now = { [time] in time.now }
        self.settings = settings
        origin = "\(ProcessInfo.processInfo.processIdentifier)@\(name)"
        buffer = settings.sendBuffer > 0 ? SendBuffer(limit: settings.sendBuffer) : nil
        state = Mutex(State(broker: broker, results: results))
    }

    /// Sets the broker, and where results are kept if not there.
    public func use(broker: any Broker, results: (any ResultStore)? = nil) {
        state.withLock {
            $0.broker = broker
            $0.results = results
        }
    }

    /// The broker.
    /// - Throws: ``AppError`` if none was set.
    public var broker: any Broker {
        get throws(AppError) {
            guard let broker = state.withLock({ $0.broker }) else {
                throw AppError(
                    "\(name): no broker is set; pass one to Chard(_:broker:), or set CHARD_BROKER_URL and run through "
                        + "ChardCommand")
            }
            return broker
        }
    }

    /// Where statuses and results are kept.
    public var results: any ResultStore {
        get throws(AppError) {
            if let immediate { return immediate.results }
            if let results = state.withLock({ $0.results }) { return results }
            return try broker
        }
    }

    /// What runs tasks in their caller, if that is wished.
    var immediate: ImmediateMode? {
        get { state.withLock { $0.immediate } }
        set { state.withLock { $0.immediate = newValue } }
    }

    /// Makes a test's broker and time the app's own, and its queue a real one.
    package func takeOver(broker: any Broker, now: @escaping @Sendable () -> Date) {
        use(broker: broker)
        immediate = nil
        time.replace(with: now)
    }

    /// Whether results are kept apart from the broker, so that settling takes two steps.
    var keepsResultsElsewhere: Bool { state.withLock { $0.results != nil } }

    /// Sends tasks whose name matches `pattern` (`*` any run of characters, `?` one) to `queue`, unless task or call name
    /// a queue themselves. The first matching rule decides.
    public func route(_ pattern: String, to queue: String) {
        state.withLock {
            if pattern.isEmpty || queue.isEmpty {
                $0.problems.append("route \"\(pattern)\" to \"\(queue)\": neither may be empty")
            }
            $0.routes.add(pattern, queue: queue)
        }
    }

    /// Adds work around every enqueue and every run; the first one added is the outermost.
    public func add(_ middleware: some Middleware) {
        state.withLock { $0.middleware.append(middleware) }
    }

    /// The registered tasks, by name.
    public var tasks: [RegisteredTask] {
        state.withLock { $0.tasks.values.sorted { $0.name < $1.name } }
    }

    /// Says everything that is wrong with tasks, routes and options.
    /// - Throws: ``AppError`` with one line for each problem.
    public func validate() throws(AppError) {
        let problems = state.withLock { $0.problems }
        guard problems.isEmpty else {
            throw AppError(([name + " is set up wrongly:"] + problems.map { "- " + $0 }).joined(separator: "\n"))
        }
    }

    func register(_ task: RegisteredTask) {
        state.withLock { state in
            if task.name.isEmpty { state.problems.append("a task has the empty string as its name") }
            if state.tasks[task.name] != nil {
                state.problems.append("task \(task.name) is registered twice; names must be unique")
            }
            state.problems += task.problems.map { "task \(task.name): \($0)" }
            state.tasks[task.name] = task
        }
    }

    func add(problem: String) {
        state.withLock { $0.problems.append(problem) }
    }

    func register(_ schedule: Schedule) {
        state.withLock { state in
            if state.schedules.contains(where: { $0.name == schedule.name }) {
                state.problems.append(
                    "schedule \(schedule.name) is registered twice; names must be unique, say name: where one task has "
                        + "several schedules")
            }
            state.schedules.append(schedule)
        }
    }

    func queue(for task: String, _ named: String?) -> String {
        named ?? state.withLock { $0.routes.queue(for: task) } ?? settings.defaultQueue
    }

    var registeredSchedules: [Schedule] { state.withLock { $0.schedules.sorted { $0.name < $1.name } } }
    var registry: [String: RegisteredTask] { state.withLock { $0.tasks } }
    var middleware: [any Middleware] { state.withLock { $0.middleware } }
}

/// An app that is set up wrongly, or a call that makes no sense.
public struct AppError: Error, Sendable, CustomStringConvertible {
    /// What is wrong and how to mend it.
    public let description: String

    init(_ description: String) { self.description = description }
}
