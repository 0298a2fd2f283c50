// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Logging
import Synchronization

/// An app: its tasks, where they are sent, and the broker that carries them.
///
/// ```swift
/// let app = Chard("shop")
/// let add = app.task("shop.add") { (x: Int, y: Int) in x + y }  // in main.swift; elsewhere, in a TaskSet
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

    let attendance = Attendance()

    /// What may be shown of arguments.
    let argumentTexts: ArgumentTexts

    /// This process, as messages name their sender.
    let origin: String

    private struct State {
        var broker: (any Broker)?
        var results: (any ResultStore)?
        var tasks: [String: RegisteredTask] = [:]
        var problems: [String] = []
        /// The tasks that were registered when a worker ran already, each with what is wrong with that.
        var late: [String: String] = [:]
        var taskSets: [ObjectIdentifier: any TaskSet] = [:]
        var schedules: [Schedule] = []
        var routes = Routes()
        var middleware: [any Middleware] = []
        var observers: [any AppObserver] = []
        var immediate: (any ImmediateRunner)?
        var fileKeeper: FileKeeper?
        var signing: MessageSigning?

        /// What is wrong with how the app is set up.
        var setupProblems: [String] { problems + [signing?.problem].compactMap(\.self) }
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
        argumentTexts = settings.argumentTexts
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
            if let immediate { return immediate.store }
            if let results = state.withLock({ $0.results }) { return results }
            return try broker
        }
    }

    /// What runs tasks in their caller, if that is wished.
    var immediate: (any ImmediateRunner)? {
        get { state.withLock { $0.immediate } }
        set { state.withLock { $0.immediate = newValue } }
    }

    /// What removes the files of tasks that are done, where the app keeps files.
    var fileKeeper: FileKeeper? {
        get { state.withLock { $0.fileKeeper } }
        set { state.withLock { $0.fileKeeper = newValue } }
    }

    /// How messages are signed, if they are.
    package var signing: MessageSigning? { state.withLock { $0.signing } }

    func keep(_ signing: MessageSigning?) {
        if attendance.has(.worker) { complain("the signing of messages is changed") }
        state.withLock { $0.signing = signing }
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
        if attendance.has(.worker) { complain("the middleware \(type(of: middleware)) is added") }
        state.withLock { $0.middleware.append(middleware) }
    }

    /// Tells `observer` what happens from the next start of a worker on; see ``WorkerObserver``.
    public func add(observer: some AppObserver) {
        state.withLock { $0.observers.append(observer) }
    }

    /// The registered tasks, by name.
    public var tasks: [RegisteredTask] {
        state.withLock { $0.tasks.values.sorted { $0.name < $1.name } }
    }

    /// Says everything that is wrong with tasks, routes, options and dependencies.
    /// - Throws: ``AppError`` with one line for each problem.
    public func validate() throws(AppError) {
        try refuse(state.withLock { $0.setupProblems + $0.late.values.sorted() } + dependencies.problems)
    }

    /// The same, but for what only a worker needs.
    func checkRegistrations() throws(AppError) {
        try refuse(state.withLock { $0.setupProblems })
    }

    /// The same, for calls of these tasks.
    func checkRegistrations(of tasks: @autoclosure () -> some Sequence<String>) throws(AppError) {
        let (problems, late) = state.withLock { ($0.setupProblems, $0.late) }
        try refuse(problems)
        if late.isEmpty { return }
        for task in tasks() {
            if let problem = late[task] { throw AppError(problem) }
        }
    }

    private func refuse(_ problems: [String]) throws(AppError) {
        guard problems.isEmpty else {
            throw AppError(([name + " is set up wrongly:"] + problems.map { "- " + $0 }).joined(separator: "\n"))
        }
    }

    /// Says at once that something comes too late: a worker or beat has started with what there was.
    @discardableResult
    private func complain(_ what: String) -> String {
        let text =
            "\(what) after \(name) has started to work, which goes on without; register everything before. (A global outside "
            + "of main.swift is made when something first uses it: let a TaskSet hold its tasks, and add that at the start.)"
        Logger(label: "chard.app").error("\(text)")
        return text
    }

    func taskSet<Tasks: TaskSet>(_ type: Tasks.Type) -> Tasks? {
        state.withLock { $0.taskSets[ObjectIdentifier(type)] as? Tasks }
    }

    func keep<Tasks: TaskSet>(_ tasks: Tasks) {
        state.withLock { $0.taskSets[ObjectIdentifier(Tasks.self)] = tasks }
    }

    func register(_ task: RegisteredTask) {
        if attendance.has(.worker) {
            let problem = complain("the task \(task.name) is registered")
            return state.withLock { $0.late[task.name] = problem }
        }
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
        if attendance.has(.beat) { complain("the schedule \(schedule.name) is registered") }
        state.withLock { state in
            if state.schedules.contains(where: { $0.name == schedule.name }) {
                state.problems.append(
                    "schedule \(schedule.name) is registered twice; names must be unique, say name: where one task has "
                        + "several schedules")
            }
            state.schedules.append(schedule)
        }
    }

    /// Where a call of a task goes: to the queue that is named, else where a route leads, else to the default one.
    package func queue(for task: String, _ named: String?) -> String {
        named ?? state.withLock { $0.routes.queue(for: task) } ?? settings.defaultQueue
    }

    var registeredSchedules: [Schedule] { state.withLock { $0.schedules.sorted { $0.name < $1.name } } }
    /// The parameters of a task that is registered here.
    func parameters(of task: String) -> [Parameter] { state.withLock { $0.tasks[task]?.parameters ?? [] } }
    /// The options of a task that is registered here.
    func options(of task: String) -> TaskOptions? { state.withLock { $0.tasks[task]?.options } }
    var registry: [String: RegisteredTask] { state.withLock { $0.tasks } }
    var middleware: [any Middleware] { state.withLock { $0.middleware } }
    var observers: [any AppObserver] { state.withLock { $0.observers } }
}
