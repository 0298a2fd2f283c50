// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// A setting as it counts for a program, and where its value came from.
struct EffectiveSetting: Sendable {
    enum Origin: String, Sendable {
        case flag, environment, file, code, usual = "default"
    }

    let setting: Setting
    let origin: Origin
    /// What to call the place: the flag, the variable, the file with its line.
    let place: String?
    /// The value; `nil` where words stand for what counts, or it is wrong.
    let value: SettingValue?
    /// What is wrong about it.
    let problem: String?

    /// What counts, with whatever flags were given; the first place that has a value decides.
    init(_ setting: Setting, flags: GivenFlags, _ settings: SettingsReader, of app: Chard) {
        if let flag = flags[setting] {
            var problem: String?
            do { try setting.check(flag.value, flag.option) } catch { problem = "\(error)" }
            self.init(setting, .flag, flag.option, flag.value, problem: problem)
            return
        }
        do {
            guard let found = try settings.lookUp(setting) else {
                let inCode = setting == .brokerURL ? try? app.broker.location : nil
                self.init(
                    setting, inCode == nil ? .usual : .code, nil,
                    inCode.map(SettingValue.text) ?? setting.usualValue)
                return
            }
            self.init(
                setting, found.origin == setting.variable ? .environment : .file, found.origin, found.value)
        } catch {
            self.init(setting, .environment, setting.variable, nil, problem: "\(error)")
        }
    }

    private init(
        _ setting: Setting, _ origin: Origin, _ place: String?, _ value: SettingValue?, problem: String? = nil
    ) {
        self.setting = setting
        self.origin = origin
        self.place = place
        self.value = value
        self.problem = problem
    }

    /// The value for people, without secrets.
    var text: String {
        if problem != nil { return "(wrong)" }
        guard let value else { return setting.usual }
        return Self.masked(value, of: setting).text
    }

    /// The same for programs.
    var document: JSON {
        let value: JSON = problem == nil ? value.map { Self.masked($0, of: setting).json } ?? .null : .null
        return [
            "name": .string(setting.name), "variable": .string(setting.variable),
            "flag": setting.flag.map(JSON.string) ?? .null, "value": value, "origin": .string(origin.rawValue),
            "place": place.map(JSON.string) ?? .null, "problem": problem.map(JSON.string) ?? .null,
        ]
    }

    private static func masked(_ value: SettingValue, of setting: Setting) -> SettingValue {
        guard case .text(let text) = value else { return value }
        return switch setting.kind {
        case .url: .text(MaskedURL.text(text))
        case .secret: .text("***")
        default: value
        }
    }
}
