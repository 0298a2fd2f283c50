// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// What the flags of a command line say of settings.
struct GivenFlags {
    private var values: [Setting: SettingValue] = [:]

    /// Those of a command's common options.
    init(_ common: CommonOptions) {
        add(common)
    }

    /// Those, and the ones of another command line, such as `worker --concurrency 4`.
    init(_ common: CommonOptions, and words: [String]) throws {
        add(common)
        guard let name = words.first else { return }
        let rest = Array(words.dropFirst())
        switch name {
        case "worker":
            let worker = try WorkerCommand.parse(rest)
            set(.workerQueues, worker.queues.isEmpty ? nil : .names(NameList.names(in: worker.queues)))
            set(.workerConcurrency, worker.concurrency.map(SettingValue.wholeNumber))
            set(.workerProcesses, worker.processes.map(SettingValue.wholeNumber))
            set(.workerNode, worker.node.map(SettingValue.text))
            set(.workerGrace, worker.grace.map { .number($0.duration.seconds) })
            set(.workerEvents, worker.taskEvents ? .flag(true) : nil)
            add(http: worker.http, startupWait: worker.startupWait, worker.common)
        case "beat":
            let beat = try BeatCommand.Start.parse(rest)
            add(http: beat.http, startupWait: beat.startupWait, beat.common)
        default:
            throw CommandError("behind -- stands 'worker' or 'beat' with its flags, not '\(name)'", status: .misused)
        }
    }

    private mutating func add(http: String?, startupWait: Seconds?, _ common: CommonOptions) {
        set(.http, http.map(SettingValue.text))
        set(.startupWait, startupWait.map { .number($0.duration.seconds) })
        add(common)
    }

    private mutating func add(_ common: CommonOptions) {
        set(.brokerURL, common.broker.map(SettingValue.text))
        set(.resultsURL, common.results.map(SettingValue.text))
        set(.keyPrefix, common.keyPrefix.map(SettingValue.text))
        set(.logLevel, common.logLevel.map(SettingValue.text))
        set(.logFormat, common.logFormat.map(SettingValue.text))
    }

    private mutating func set(_ setting: Setting, _ value: SettingValue?) {
        if let value { values[setting] = value }
    }

    /// The value that a flag gives a setting, and the flag.
    subscript(setting: Setting) -> (value: SettingValue, option: String)? {
        values[setting].map { ($0, setting.flag ?? "") }
    }
}
