// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A task's failure as Celery writes it down: the error type's name, its module, its arguments and the traceback text.
///
/// Thrown by ``AsyncResult/value(timeout:)`` for a task that failed elsewhere, in whichever language. Throw one from a
/// task's body to fail with a type of your choice: `throw TaskError("ValueError", "boom")`.
public struct TaskError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The error type's name, such as `ValueError`.
    public var type: String
    /// The module of the type: `builtins` for Python's own, the Swift module for Swift's.
    public var module: String?
    /// The arguments the error was made with: most often one text.
    public var arguments: [JSON]
    /// The remote traceback as text, where there is one.
    public var traceback: String?
    /// The id of the task that failed, where it is known.
    public var taskID: String?

    /// Makes a failure. The default module is Python's `builtins`, so that a Python caller catches the class it knows.
    public init(_ type: String, _ message: String, module: String? = "builtins") {
        self.type = type
        self.module = module
        arguments = [.string(message)]
    }

    /// Makes a failure from what a result store holds.
    public init(_ info: ExceptionInfo, traceback: String? = nil, taskID: String? = nil) {
        type = info.type
        module = info.module
        arguments = info.message
        self.traceback = traceback
        self.taskID = taskID
    }

    /// Describes any error of a body: a ``TaskError`` as it is, others by the name, module and text of their type.
    public init(describing error: any Error) {
        if let failure = error as? TaskError {
            self = failure
            return
        }
        let name = String(reflecting: Swift.type(of: error))
        let module = name.prefix { $0 != "." }
        self.init(
            String(describing: Swift.type(of: error)), error.wording,
            module: module.count < name.count ? String(module) : nil)
    }

    /// The arguments as one text.
    public var message: String { info.text }

    /// What a result store holds of this failure.
    public var info: ExceptionInfo { ExceptionInfo(type: type, module: module, message: arguments) }

    /// `ValueError: boom`.
    public var description: String { message.isEmpty ? type : "\(type): \(message)" }

    static func typeError(_ message: String) -> TaskError { TaskError("TypeError", message) }
}
