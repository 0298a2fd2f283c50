// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// Failures as Python names them.
enum PythonException {
    /// What `raise kind(message)` in the peer leaves behind: Python's own class of that name, else one of the peer's,
    /// which makes any class whose name is capitalized.
    static func error(_ kind: String, _ message: JSON) -> TaskError {
        guard builtins.contains(kind) || kind.first?.isUppercase == true else {
            return TaskError("AttributeError", "module 'peer' has no attribute '\(kind)'")
        }
        var error = TaskError(kind, "", module: builtins.contains(kind) ? "builtins" : "peer")
        error.arguments = [message]
        return error
    }

    /// The subclasses of `Exception` among Python's builtins that take any one argument.
    private static let builtins: Set = [
        "ArithmeticError", "AssertionError", "AttributeError", "BlockingIOError", "BrokenPipeError", "BufferError",
        "BytesWarning", "ChildProcessError", "ConnectionAbortedError", "ConnectionError", "ConnectionRefusedError",
        "ConnectionResetError", "DeprecationWarning", "EOFError", "EncodingWarning", "EnvironmentError", "Exception",
        "FileExistsError", "FileNotFoundError", "FloatingPointError", "FutureWarning", "IOError", "ImportError",
        "ImportWarning", "IndentationError", "IndexError", "InterruptedError", "IsADirectoryError", "KeyError",
        "LookupError", "MemoryError", "ModuleNotFoundError", "NameError", "NotADirectoryError", "NotImplementedError",
        "OSError", "OverflowError", "PendingDeprecationWarning", "PermissionError", "ProcessLookupError",
        "RecursionError", "ReferenceError", "ResourceWarning", "RuntimeError", "RuntimeWarning", "StopAsyncIteration",
        "StopIteration", "SyntaxError", "SyntaxWarning", "SystemError", "TabError", "TimeoutError", "TypeError",
        "UnboundLocalError", "UnicodeError", "UnicodeWarning", "UserWarning", "ValueError", "Warning",
        "ZeroDivisionError",
    ]
}
