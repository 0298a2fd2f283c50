// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// `config show`: every setting with its value, and where that came from.
struct ConfigShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows the settings as they count, without passwords.",
        discussion: """
            With the words of another command behind --, its flags count, too: config show --origin -- worker -c 4. Ends with 2 where \
            a setting is wrong.
            """)

    @Flag(help: "Shows where each value came from: flag, environment, file, code or default.")
    var origin = false

    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp("'worker' or 'beat' with its flags, behind --.", valueName: "command"))
    var words: [String] = []

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        guard let launch = Launch.current else { return }
        let flags = try GivenFlags(common, and: words)
        let settings = try SettingsReader(tolerating: common.config, environment: launch.environment)
        let all = Setting.all.map { EffectiveSetting($0, flags: flags, settings, of: launch.app) }
        // What is wrong in the file is told by the file, which knows of more than of settings.
        let problems = (settings.file?.problems ?? []) + all.filter { $0.origin != .file }.compactMap(\.problem)
        try answer(all, problems, settings, launch)
        for warning in settings.warnings { launch.output.talk("\(launch.name): warning: \(warning)") }
        if !problems.isEmpty { throw CommandError(problems.joined(separator: "\n"), status: .misused) }
    }

    private func answer(
        _ all: [EffectiveSetting], _ problems: [String], _ settings: SettingsReader, _ launch: Launch
    ) throws {
        if common.json {
            return try launch.output.answer([
                "file": settings.file.map { .string($0.path) } ?? .null, "settings": .array(all.map(\.document)),
                "problems": .array(problems.map(JSON.string)),
            ])
        }
        var table = origin ? Table("SETTING", "VALUE", "ORIGIN") : Table("SETTING", "VALUE")
        for one in all {
            if origin {
                let place = one.place.map { "\(one.origin.rawValue): \($0)" } ?? one.origin.rawValue
                table.add(one.setting.name, one.text, place)
            } else {
                table.add(one.setting.name, one.text)
            }
        }
        try launch.output.answer(table.text)
    }
}
