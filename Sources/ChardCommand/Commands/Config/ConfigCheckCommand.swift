// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// `config check`: whether file, environment and flags hold nothing wrong, before a program is started with them.
struct ConfigCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Checks a settings file and the environment, and tells all that is wrong.",
        discussion: """
            Unknown keys with the name that may have been meant, values of the wrong kind or out of range, and settings that contradict \
            each other, one line each. Ends with 2 where anything is wrong. Nothing is connected to.
            """)

    @Argument(
        help: ArgumentHelp("The file; by default, what --config or CHARD_CONFIG names, if any.", valueName: "file"))
    var file: String?

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        guard let launch = Launch.current else { return }
        let settings = try SettingsReader(tolerating: file ?? common.config, environment: launch.environment)
        let flags = GivenFlags(common)
        let all = Setting.all.map { EffectiveSetting($0, flags: flags, settings, of: launch.app) }
        var problems = (settings.file?.problems ?? []) + all.filter { $0.origin != .file }.compactMap(\.problem)
        if problems.isEmpty {
            do { _ = try settings.signing(inCode: launch.app.signing) } catch { problems.append("\(error)") }
            do { _ = try settings.sealingKeys() } catch { problems.append("\(error)") }
        }
        if problems.isEmpty { problems = await contradictions(all, settings) }
        let warnings = settings.warnings
        if common.json {
            try launch.output.answer([
                "file": settings.file.map { .string($0.path) } ?? .null,
                "problems": .array(problems.map(JSON.string)), "warnings": .array(warnings.map(JSON.string)),
            ])
        }
        for warning in warnings { launch.output.talk("\(launch.name): warning: \(warning)") }
        if !problems.isEmpty { throw CommandError(problems.joined(separator: "\n"), status: .misused) }
        let count = all.count { $0.origin != .usual && $0.origin != .code }
        if !common.json {
            try launch.output.answer(
                "\(settings.file?.path ?? "no file"): nothing is wrong; \(Words.count(count, "setting")) set")
        }
    }

    /// What is right by itself, and yet not together. A broker that is never reached opens nothing.
    private func contradictions(_ all: [EffectiveSetting], _ settings: SettingsReader) async -> [String] {
        func text(_ setting: Setting) -> String? {
            guard case .text(let text) = all.first(where: { $0.setting == setting })?.value else { return nil }
            return text
        }
        guard let url = text(.brokerURL), all.first(where: { $0.setting == .brokerURL })?.origin != .code else {
            return []
        }
        do {
            let broker = try openBroker(
                url, keyPrefix: text(.keyPrefix) ?? "", priorities: try settings.priorities(),
                deadLetterLimit: try settings.integer(.deadLetterLimit, flag: nil),
                deadLetterTimeToLive: try settings.deadLetterTimeToLive(), history: try settings.history())
            await broker.shutdown()
            return []
        } catch {
            return ["\(error)"]
        }
    }
}
