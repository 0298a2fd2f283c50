// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Tasks that belong together: their home, in whichever file, in a program as in a test.
///
/// ```swift
/// struct Polls: TaskSet {
///     let close: TaskHandle<Void, Int>
///
///     init(_ app: Chard) {
///         close = app.task("polls.close") { (poll: Int) in print("poll \(poll) is closed") }
///     }
/// }
///
/// let app = Chard("site")
/// let polls = app.add(Polls.self)
/// ```
/// A task that is a global is registered by the first line that uses it, unless it stands in `main.swift`: Swift makes globals
/// when they are needed. A worker would start without it. A set is registered as a whole, there where it is added: in `main.swift`,
/// or wherever else the program sets its app up before it does anything.
public protocol TaskSet: Sendable {
    /// Registers the tasks with an app.
    init(_ app: Chard)
}

extension Chard {
    /// Registers the tasks of a set, and returns it. An app has one of each: where it is there already, it is that one, so
    /// that a set may add those whose tasks its own call.
    @discardableResult
    public func add<Tasks: TaskSet>(_ type: Tasks.Type) -> Tasks {
        if let present = taskSet(Tasks.self) { return present }
        let tasks = Tasks(self)
        keep(tasks)
        return tasks
    }
}
