// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis

/// Finds the value of a setting: a flag wins over the environment, the environment over the file.
struct SettingsReader: Sendable {
    /// A value, and what to call the place where it was found.
    struct Found<Value: Sendable>: Sendable {
        let value: Value
        let origin: String
    }

    private let environment: [String: String]
    private let file: SettingsFile?
    /// What is odd about the environment, to be said once.
    let warnings: [String]

    /// Reads the file that `config` names, or else the one that `CHARD_CONFIG` names, if any.
    init(config: String?, environment variables: [String: String]) throws(CommandError) {
        // Empty is as good as absent: it is what `CHARD_...: ${...:-}` comes to.
        let set = variables.filter { $0.key.hasPrefix(Setting.variablePrefix) && !$0.value.isEmpty }
        environment = set
        file = if let path = config ?? set[Setting.configVariable] { try SettingsFile(at: path) } else { nil }
        // Others may have variables of this prefix, too (Kubernetes does, for a service named "chard"), so only those are
        // worth a word that look like a slip.
        let known = Setting.all.map(\.variable) + [Setting.configVariable]
        warnings = set.keys.sorted().filter { !known.contains($0) }.compactMap { name in
            let bare = { (name: String) in String(name.dropFirst(Setting.variablePrefix.count)) }
            guard let nearest = Suggestion.nearest(to: bare(name), among: known.map(bare)) else { return nil }
            return "\(name) in the environment means nothing; did you mean \(Setting.variablePrefix)\(nearest)?"
        }
    }

    /// The text of a setting.
    func text(_ setting: Setting, flag: String?, named option: String) throws(CommandError) -> Found<String>? {
        if let flag { return Found(value: flag, origin: option) }
        return try find(setting) { if case .text(let text) = $0 { text } else { nil } }
    }

    /// The names that a setting lists.
    func names(_ setting: Setting, flag: [String]) throws(CommandError) -> [String] {
        if !flag.isEmpty { return flag }
        return try find(setting) { if case .names(let names) = $0 { names } else { nil } }?.value ?? []
    }

    /// The whole number of a setting.
    func integer(_ setting: Setting, flag: Int?, upTo most: Int = .max) throws(CommandError) -> Int? {
        if let flag { return flag }
        let found: Found<Int>? = try find(setting) { if case .wholeNumber(let number) = $0 { number } else { nil } }
        guard let found else { return nil }
        guard found.value > 0 else {
            throw CommandError("\(found.origin) is \(found.value); it must be at least 1", status: .misused)
        }
        guard found.value <= most else {
            throw CommandError("\(found.origin) is \(found.value); it must be no more than \(most)", status: .misused)
        }
        return found.value
    }

    /// Whether a setting says yes.
    func flag(_ setting: Setting, flag: Bool) throws(CommandError) -> Bool {
        if flag { return true }
        return try find(setting) { if case .flag(let value) = $0 { value } else { nil } }?.value ?? false
    }

    /// The number of a setting.
    func number(_ setting: Setting) throws(CommandError) -> Found<Double>? {
        try find(setting) { if case .number(let number) = $0 { number } else { nil } }
    }

    /// How long dead letters are kept: more than nothing, and no longer than a hundred years.
    func deadLetterTimeToLive() throws(CommandError) -> Duration? {
        guard let found = try number(.deadLetterDays) else { return nil }
        guard found.value > 0, let seconds = Seconds(found.value * 86_400) else {
            throw CommandError(
                "\(found.origin) is \(found.value); it must be \(Setting.deadLetterDays.expected)", status: .misused)
        }
        return seconds.duration
    }

    /// The steps of priority, of what is set of them; `nil` where nothing is.
    func priorities() throws -> PrioritySteps? {
        let steps: Found<[Int]>? = try find(.prioritySteps) {
            if case .wholeNumbers(let numbers) = $0 { numbers } else { nil }
        }
        let separator = try text(.prioritySeparator, flag: nil, named: "")
        guard let origin = steps?.origin ?? separator?.origin else { return nil }
        do {
            return try PrioritySteps(
                steps?.value ?? PrioritySteps.usual.steps,
                separator: separator?.value ?? PrioritySteps.usualSeparator)
        } catch {
            throw BrokerError(error.code, "\(origin): \(error.message)")
        }
    }

    /// How much is kept of the history of tasks.
    func history() throws(CommandError) -> HistoryLimits {
        var limits = HistoryLimits.usual
        if let attempts = try integer(.historyLimit, flag: nil) { limits.attempts = attempts }
        guard let found = try number(.historyHours) else { return limits }
        guard let seconds = Seconds(found.value * 3_600) else {
            throw CommandError(
                "\(found.origin) is \(found.value); it must be \(Setting.historyHours.expected)", status: .misused)
        }
        limits.timeToLive = seconds.duration
        return limits
    }

    /// Finds what the environment or the file says, as `read` takes it out of a value of the setting's kind.
    private func find<Value>(
        _ setting: Setting, _ read: (SettingValue) -> Value?
    ) throws(CommandError) -> Found<Value>? {
        let found: (value: SettingValue?, origin: String)
        if let text = environment[setting.variable] {
            found = (SettingValue(variable: text, as: setting.kind), setting.variable)
        } else if let file, let value = file[setting] {
            found = (value, "\(file.path): \(setting.name)")
        } else {
            return nil
        }
        guard let value = found.value.flatMap(read) else {
            throw CommandError("\(found.origin) is not \(setting.expected)", status: .misused)
        }
        return Found(value: value, origin: found.origin)
    }
}
