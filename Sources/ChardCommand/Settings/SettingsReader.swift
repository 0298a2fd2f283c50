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
    /// The file that was read, if any.
    let file: SettingsFile?
    /// What is odd about the environment, to be said once.
    let warnings: [String]

    /// Reads the file that `config` names, or else the one that `CHARD_CONFIG` names, if any.
    init(config: String?, environment: [String: String]) throws(CommandError) {
        try self.init(tolerating: config, environment: environment)
        try file?.validate()
    }

    /// The same, with whatever is wrong in the file.
    init(tolerating config: String?, environment variables: [String: String]) throws(CommandError) {
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
    func text(_ setting: Setting, flag: String?, named option: String) throws -> Found<String>? {
        if let flag { return Found(value: flag, origin: option) }
        return try find(setting) { if case .text(let text) = $0 { text } else { nil } }
    }

    /// The names that a setting lists.
    func names(_ setting: Setting, flag: [String]) throws -> [String] {
        if !flag.isEmpty { return flag }
        return try find(setting) { if case .names(let names) = $0 { names } else { nil } }?.value ?? []
    }

    /// The whole number of a setting.
    func integer(_ setting: Setting, flag: Int?) throws -> Int? {
        if let flag { return flag }
        return try find(setting) { if case .wholeNumber(let number) = $0 { number } else { nil } }?.value
    }

    /// Whether a setting says yes.
    func flag(_ setting: Setting, flag: Bool) throws -> Bool {
        if flag { return true }
        return try find(setting) { if case .flag(let value) = $0 { value } else { nil } }?.value ?? false
    }

    /// The number of a setting.
    func number(_ setting: Setting) throws -> Found<Double>? {
        try find(setting) { if case .number(let number) = $0 { number } else { nil } }
    }

    /// How long dead letters are kept.
    func deadLetterTimeToLive() throws -> Duration? {
        try number(.deadLetterDays).map { .seconds($0.value * 86_400) }
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
    func history() throws -> HistoryLimits {
        var limits = HistoryLimits.usual
        if let attempts = try integer(.historyLimit, flag: nil) { limits.attempts = attempts }
        if let hours = try number(.historyHours) { limits.timeToLive = .seconds(hours.value * 3_600) }
        return limits
    }

    /// What the environment or the file says of a setting, with what is wrong about it.
    func lookUp(_ setting: Setting) throws -> Found<SettingValue>? {
        guard let found = try value(of: setting) else { return nil }
        try setting.check(found.value, found.origin)
        return found
    }

    /// Finds what the environment or the file says, as `read` takes it out of a value of the setting's kind.
    private func find<Value>(_ setting: Setting, _ read: (SettingValue) -> Value?) throws -> Found<Value>? {
        // A URL is checked by whoever opens it.
        guard let found = try setting.kind == .url ? value(of: setting) : lookUp(setting) else { return nil }
        return read(found.value).map { Found(value: $0, origin: found.origin) }
    }

    private func value(of setting: Setting) throws(CommandError) -> Found<SettingValue>? {
        if let text = environment[setting.variable] {
            guard let value = SettingValue(variable: text, as: setting.kind) else {
                throw CommandError("\(setting.variable) is not \(setting.expected)", status: .misused)
            }
            return Found(value: value, origin: setting.variable)
        }
        return file?[setting].map { Found(value: $0.value, origin: $0.origin) }
    }
}
