// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import ChardCrypto

/// `keys seal`: a value as a task takes it that wants it sealed.
struct KeysSealCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "seal",
        abstract: "Seals a value with the first key of CHARD_ENCRYPTION_KEYS, for an argument of `send`.",
        discussion:
            "The value is one line of JSON on standard input, where neither a list of processes nor a shell's history has it."
    )

    @Argument(help: ArgumentHelp("What it is for, as the task says it, such as: card", valueName: "purpose"))
    var purpose: String

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        let launch = try SealedLine.launch()
        let keys = try SealedLine.keys(common, launch)
        let value: JSON
        do {
            value = try JSON(parsing: Array(SealedLine.read().utf8))
        } catch let error as JSONError {
            throw CommandError("standard input is not JSON: \(error)", status: .misused)
        }
        let text = try keys.seal(value, for: purpose).text
        try common.json ? launch.output.answer(["sealed": .string(text)]) : launch.output.answer(text)
    }
}

/// `keys open`: what somebody has sealed, for whoever has the key.
struct KeysOpenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "open",
        abstract: "Opens a sealed value with the keys of CHARD_ENCRYPTION_KEYS, and prints it as JSON.",
        discussion: "The text, sealed:1:KEY:BASE64, with or without quotes, is one line on standard input.")

    @Argument(help: ArgumentHelp("What it is for, as the task says it, such as: card", valueName: "purpose"))
    var purpose: String

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        let launch = try SealedLine.launch()
        let keys = try SealedLine.keys(common, launch)
        guard let sealed = Sealed<JSON>(try SealedLine.read().filter { $0 != "\"" && !$0.isWhitespace }) else {
            throw CommandError("standard input is not a text such as sealed:1:KEY:BASE64", status: .misused)
        }
        do {
            try launch.output.answer(try keys.open(sealed, for: purpose))
        } catch let error as UnsealError {
            throw CommandError("\(error)")
        }
    }
}

/// What both of them need.
private enum SealedLine {
    static func launch() throws(CommandError) -> Launch {
        guard let launch = Launch.current else { throw CommandError("no program to run in", status: .misused) }
        return launch
    }

    static func keys(_ common: CommonOptions, _ launch: Launch) throws -> SealingKeys {
        let settings = try SettingsReader(config: common.config, environment: launch.environment)
        guard let keys = try settings.sealingKeys() else {
            throw CommandError(
                "there is no key: set \(Setting.encryptionKeys.variable), or \(Setting.encryptionKeysFile.variable)",
                status: .misused)
        }
        return keys
    }

    static func read() throws(CommandError) -> String {
        guard let line = readLine() else { throw CommandError("standard input is empty", status: .misused) }
        return line
    }
}
