// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Configuration

/// One thing that can be set from outside: by a flag, an environment variable or the settings file.
///
/// The file's key is the variable's name in lower case, without `CHARD_`.
struct Setting: Sendable, Hashable {
    /// The key in the settings file.
    let name: String
    let type: ConfigType
    /// What a value looks like, in words.
    let expected: String

    /// The environment variable.
    var variable: String { Self.variablePrefix + name.uppercased() }
    var key: AbsoluteConfigKey { AbsoluteConfigKey(["chard", name]) }

    static let variablePrefix = "CHARD_"
    /// Names the settings file; it makes no sense inside of it.
    static let configVariable = variablePrefix + "CONFIG"

    static let brokerURL = Setting(name: "broker_url", type: .string, expected: "a URL as text")
    static let resultsURL = Setting(name: "results_url", type: .string, expected: "a URL as text")
    static let keyPrefix = Setting(name: "key_prefix", type: .string, expected: "text")
    static let logLevel = Setting(name: "log_level", type: .string, expected: "a level's name")
    static let workerQueues = Setting(
        name: "worker_queues", type: .stringArray, expected: "names of queues, in the environment with commas between")
    static let workerConcurrency = Setting(name: "worker_concurrency", type: .int, expected: "a whole number")
    static let workerProcesses = Setting(name: "worker_processes", type: .int, expected: "a whole number")
    static let workerNode = Setting(name: "worker_node", type: .string, expected: "a name")
    static let workerGrace = Setting(name: "worker_grace", type: .double, expected: "a number of seconds")
    static let deadLetterLimit = Setting(name: "dead_letter_limit", type: .int, expected: "a whole number")
    static let deadLetterDays = Setting(name: "dead_letter_days", type: .double, expected: "a number of days above 0")

    /// More is a slip: each costs a connection for each list, and memory.
    static let mostProcesses = 1_024
    /// More than that are never busy at once.
    static let mostSlots = 10_000

    static let all = [
        brokerURL, resultsURL, keyPrefix, logLevel, workerQueues, workerConcurrency, workerProcesses, workerNode,
        workerGrace, deadLetterLimit, deadLetterDays,
    ]
}
