// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardCrypto
import ChardRedis
import Logging

/// The table of settings: what commands read, what `config` shows and checks, and what docs/configuration.md is made of.
extension Setting {
    /// A file in the working directory.
    static let defaultBroker = "sqlite:///chard.db"

    static let brokerURL = Setting(
        "broker_url", .url, expected: "a URL as text", flag: "--broker", usual: defaultBroker,
        "The broker: `redis://`, `rediss://`, `redis+sentinel://`, `redis+unix://`, `sqlite:///` or `memory://`.",
        check: checkURL)
    static let resultsURL = Setting(
        "results_url", .url, expected: "a URL as text", flag: "--results", usual: "(the broker)",
        "Where results are kept, if not in the broker.", check: checkURL)
    static let keyPrefix = Setting(
        "key_prefix", .text, expected: "text", flag: "--key-prefix", usual: "(none)",
        "On Redis, stands before every key and channel, as kombu's `global_keyprefix`.")
    static let prioritySteps = Setting(
        "priority_steps", .wholeNumbers,
        expected: "whole numbers that ascend from 0 to at most 9, in the environment with commas between",
        usual: "0,3,6,9", "On Redis, the steps of priority, as Celery's `priority_steps`.", check: checkSteps)
    static let prioritySeparator = Setting(
        "priority_separator", .text, expected: "text", usual: "(two invisible characters, as kombu's)",
        "On Redis, what stands between a queue's name and a step, as Celery's `sep`.")
    static let startupWait = Setting(
        "startup_wait", .number, expected: "a number of seconds", flag: "--startup-wait",
        usual: "(as long as it takes)",
        "For how many seconds `worker` and `beat` wait at their start for a broker that cannot be reached.",
        check: span(of: "a number of seconds"))

    static let deadLetterLimit = Setting(
        "dead_letter_limit", .wholeNumber, expected: "a whole number", usual: "10000",
        "How many dead letters are kept of each queue.", check: count())
    static let deadLetterDays = Setting(
        "dead_letter_days", .number, expected: "a number of days above 0", usual: "30",
        "For how many days they are kept.", check: span(of: "a number of days above 0", of: 86_400, aboveZero: true))
    static let historyLimit = Setting(
        "history_limit", .wholeNumber, expected: "a whole number", usual: "200000",
        "How many attempts at tasks are remembered. All of a broker's workers should agree.", check: count())
    static let historyHours = Setting(
        "history_hours", .number, expected: "a number of hours, 0 for none", usual: "24",
        "For how many hours they are; 0 remembers none.", check: span(of: "a number of hours, 0 for none", of: 3_600))

    static let workerQueues = Setting(
        "worker_queues", .names, expected: "names of queues, in the environment with commas between", flag: "--queues",
        usual: "(those of its tasks)", "The queues that a worker serves.")
    static let workerConcurrency = Setting(
        "worker_concurrency", .wholeNumber, expected: "a whole number", flag: "--concurrency",
        usual: "(four for each core)", "How many tasks run at once in a process.", check: count(upTo: mostSlots))
    static let workerProcesses = Setting(
        "worker_processes", .wholeNumber, expected: "a whole number", flag: "--processes", usual: "1",
        "How many processes a worker has; from two on, under a supervisor that replaces those that end.",
        check: count(upTo: mostProcesses))
    static let workerNode = Setting(
        "worker_node", .text, expected: "a name", flag: "--node", usual: "(the app's name @ the host's)",
        "The worker's name among all workers.")
    static let workerGrace = Setting(
        "worker_grace", .number, expected: "a number of seconds", flag: "--grace", usual: "30",
        "For how many seconds running tasks may go on when the worker is stopped.",
        check: span(of: "a number of seconds"))
    static let workerEvents = Setting(
        "worker_events", .flag, expected: "true or false", flag: "--task-events", usual: "false",
        "Whether a worker sends Celery's events of its tasks from the start.")

    static let http = Setting(
        "http", .text, expected: ProbeAddress.expected, flag: "--http", usual: "(nowhere)",
        "Where `worker` and `beat` answer `/live`, `/ready` and `/metrics`, such as `0.0.0.0:9100`.",
        check: checkAddress)
    static let logLevel = Setting(
        "log_level", .text, expected: "a level's name", flag: "--log-level", usual: "info",
        "`trace`, `debug`, `info`, `notice`, `warning`, `error` or `critical`.",
        check: text { _ = try Logger.Level(naming: $0, from: $1) })
    static let logFormat = Setting(
        "log_format", .text, expected: "text or json", flag: "--log-format", usual: "text",
        "`text`, or `json` for one object a line on standard error.",
        check: text { _ = try LogFormat(naming: $0, from: $1) })
    static let logRate = Setting(
        "log_rate", .number, expected: "a number of lines a second", usual: "50",
        "How many lines a second a worker writes of one task that ends well, badly, or is tried again.",
        check: number { rate, origin in
            guard !(rate > 0 && rate < 1e9) else { return }
            throw CommandError("\(origin) is \(rate); it must be above 0", status: .misused)
        })

    static let signingKeys = Setting(
        "signing_keys", .secret, expected: "keys as text", usual: "(none)",
        "Keys to sign messages with and to judge them by, as `chard keys new` makes them, commas between; the first that can signs.",
        check: text { _ = try FoundKeys(text: $0, origin: $1).read(SigningKeys.init) })
    static let signingKeysFile = Setting(
        "signing_keys_file", .text, expected: "a path", usual: "(none)", "A file that has them, one a line.",
        check: text { _ = try FoundKeys(file: $0, origin: $1).read(SigningKeys.init) })
    static let requireSignatures = Setting(
        "require_signatures", .flag, expected: "true or false", usual: "false",
        "Whether a worker puts messages aside that are not signed. Those that are signed wrongly it does in any case.")
    static let encryptionKeys = Setting(
        "encryption_keys", .secret, expected: "keys as text", usual: "(none)",
        "Keys to seal values with, as `chard keys new --kind aes` makes them, commas between: the dependency `SealingKeys`.",
        check: text { _ = try FoundKeys(text: $0, origin: $1).read(SealingKeys.init) })
    static let encryptionKeysFile = Setting(
        "encryption_keys_file", .text, expected: "a path", usual: "(none)", "A file that has them, one a line.",
        check: text { _ = try FoundKeys(file: $0, origin: $1).read(SealingKeys.init) })

    static let dashboardHTTP = Setting(
        "dashboard_http", .text, expected: ProbeAddress.expected, flag: "--http", usual: "127.0.0.1:8787",
        "Where `dashboard` listens.", check: checkAddress)
    static let dashboardPassword = Setting(
        "dashboard_password", .secret, expected: "text", usual: "(none)",
        "The password that `dashboard` asks for, which it must where others than this machine reach it.")
    static let dashboardToken = Setting(
        "dashboard_token", .secret, expected: "text", usual: "(none)",
        "The token that programs bring it: `Authorization: Bearer`.")

    static let all = [
        brokerURL, resultsURL, keyPrefix, prioritySteps, prioritySeparator, startupWait, deadLetterLimit,
        deadLetterDays, historyLimit, historyHours, workerQueues, workerConcurrency, workerProcesses, workerNode,
        workerGrace, workerEvents, http, logLevel, logFormat, logRate, signingKeys, signingKeysFile, requireSignatures,
        encryptionKeys, encryptionKeysFile, dashboardHTTP, dashboardPassword, dashboardToken,
    ]
}

// MARK: What a value has to be

private typealias Check = @Sendable (SettingValue, String) throws -> Void

private let checkURL: Check = text { url, origin in
    do throws(BrokerError) {
        _ = try openBroker(url)
    } catch {
        throw BrokerError(error.code, "\(origin): \(error.message)", underlying: error)
    }
}

private let checkAddress: Check = text { text, origin in
    guard ProbeAddress(text) == nil else { return }
    throw CommandError("\(origin) is not \(ProbeAddress.expected): \(text)", status: .misused)
}

private let checkSteps: Check = { value, origin in
    guard case .wholeNumbers(let steps) = value else { return }
    do throws(BrokerError) {
        _ = try PrioritySteps(steps)
    } catch {
        throw BrokerError(error.code, "\(origin): \(error.message)")
    }
}

private func text(_ check: @escaping @Sendable (String, String) throws -> Void) -> Check {
    { value, origin in if case .text(let text) = value { try check(text, origin) } }
}

private func number(_ check: @escaping @Sendable (Double, String) throws -> Void) -> Check {
    { value, origin in if case .number(let number) = value { try check(number, origin) } }
}

/// So many things, at least one.
private func count(upTo most: Int = .max) -> Check {
    { value, origin in
        guard case .wholeNumber(let number) = value else { return }
        guard number > 0 else {
            throw CommandError("\(origin) is \(number); it must be at least 1", status: .misused)
        }
        guard number <= most else {
            throw CommandError("\(origin) is \(number); it must be no more than \(most)", status: .misused)
        }
    }
}

/// A time of so many seconds, minutes or the like: no less than nothing, and no longer than a hundred years.
private func span(of expected: String, of unit: Double = 1, aboveZero: Bool = false) -> Check {
    number { count, origin in
        if Seconds(count * unit) != nil, !aboveZero || count > 0 { return }
        throw CommandError("\(origin) is \(count); it must be \(expected)", status: .misused)
    }
}
