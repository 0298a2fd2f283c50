// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// One thing that can be set from outside: by a flag, an environment variable or the settings file.
///
/// The file's key is the variable's name in lower case, without `CHARD_`.
struct Setting: Sendable, Hashable {
    /// What kind of value it has.
    enum Kind: Sendable, Hashable {
        case text, names, wholeNumber, wholeNumbers, number, flag
    }

    /// The key in the settings file.
    let name: String
    let kind: Kind
    /// What a value looks like, in words.
    let expected: String

    /// The environment variable.
    var variable: String { Self.variablePrefix + name.uppercased() }

    static let variablePrefix = "CHARD_"
    /// Names the settings file; it makes no sense inside of it.
    static let configVariable = variablePrefix + "CONFIG"

    static let brokerURL = Setting(name: "broker_url", kind: .text, expected: "a URL as text")
    static let resultsURL = Setting(name: "results_url", kind: .text, expected: "a URL as text")
    static let keyPrefix = Setting(name: "key_prefix", kind: .text, expected: "text")
    static let prioritySteps = Setting(
        name: "priority_steps", kind: .wholeNumbers,
        expected: "whole numbers that ascend from 0 to at most 9, in the environment with commas between")
    static let prioritySeparator = Setting(name: "priority_separator", kind: .text, expected: "text")
    static let logLevel = Setting(name: "log_level", kind: .text, expected: "a level's name")
    static let logFormat = Setting(name: "log_format", kind: .text, expected: "text or json")
    static let logRate = Setting(name: "log_rate", kind: .number, expected: "a number of lines a second")
    static let workerQueues = Setting(
        name: "worker_queues", kind: .names, expected: "names of queues, in the environment with commas between")
    static let workerConcurrency = Setting(name: "worker_concurrency", kind: .wholeNumber, expected: "a whole number")
    static let workerProcesses = Setting(name: "worker_processes", kind: .wholeNumber, expected: "a whole number")
    static let workerNode = Setting(name: "worker_node", kind: .text, expected: "a name")
    static let workerGrace = Setting(name: "worker_grace", kind: .number, expected: "a number of seconds")
    static let workerEvents = Setting(name: "worker_events", kind: .flag, expected: "true or false")
    static let http = Setting(name: "http", kind: .text, expected: "an address such as 127.0.0.1:9100")
    static let startupWait = Setting(name: "startup_wait", kind: .number, expected: "a number of seconds")
    static let deadLetterLimit = Setting(name: "dead_letter_limit", kind: .wholeNumber, expected: "a whole number")
    static let deadLetterDays = Setting(name: "dead_letter_days", kind: .number, expected: "a number of days above 0")

    static let historyLimit = Setting(name: "history_limit", kind: .wholeNumber, expected: "a whole number")
    static let historyHours = Setting(name: "history_hours", kind: .number, expected: "a number of hours, 0 for none")

    static let dashboardHTTP = Setting(
        name: "dashboard_http", kind: .text, expected: "an address such as 127.0.0.1:8787")
    static let dashboardPassword = Setting(name: "dashboard_password", kind: .text, expected: "text")
    static let dashboardToken = Setting(name: "dashboard_token", kind: .text, expected: "text")

    /// More is a slip: each costs a connection for each list, and memory.
    static let mostProcesses = 1_024
    /// More than that are never busy at once.
    static let mostSlots = 10_000

    static let all = [
        brokerURL, resultsURL, keyPrefix, prioritySteps, prioritySeparator, logLevel, logFormat, logRate, workerQueues,
        workerConcurrency, workerProcesses, workerNode, workerGrace, workerEvents, http, startupWait, deadLetterLimit,
        deadLetterDays, historyLimit, historyHours, dashboardHTTP, dashboardPassword, dashboardToken,
    ]
}
