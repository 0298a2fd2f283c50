// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension JSONWriter {
    /// What task-failed and task-retried have to say of an error.
    mutating func fields(of error: TaskError, _ traceback: String, taskID: String) {
        let arguments = error.arguments.map { PythonText.value($0.encoded()) }.joined(separator: ", ")
        field(#""uuid":"#, taskID)
        field(#""exception":"#, "\(error.type)(\(arguments))")
        field(#""traceback":"#, traceback)
    }
}

extension StatusRecord {
    /// The error of a failure.
    var failure: TaskError? {
        (try? TaskStatus(decoding: json))?.exception.map { TaskError($0) }
    }
}
