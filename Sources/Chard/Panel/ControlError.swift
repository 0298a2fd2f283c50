// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Why a worker does not do what it is asked for, in the words of Celery: the exception that a Python worker raises.
struct ControlError: Error, Hashable {
    var type: String
    var text: String

    static func type(_ text: String) -> ControlError { ControlError(type: "TypeError", text: text) }
    static func value(_ text: String) -> ControlError { ControlError(type: "ValueError", text: text) }
    static func key(_ text: String) -> ControlError { ControlError(type: "KeyError", text: text) }

    /// `ValueError('Autoscale not enabled')`
    var answer: JSON { ["error": .string("\(type)(\(PythonText.value(JSON.string(text).encoded())))")] }
}
