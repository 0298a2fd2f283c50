// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// `config`: what is set, where, and whether it is right.
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Shows the settings and whence they come; checks them; makes their page.",
        subcommands: [ConfigShowCommand.self, ConfigCheckCommand.self, ConfigDocsCommand.self],
        defaultSubcommand: ConfigShowCommand.self)
}

/// `config docs`: the page of all settings.
struct ConfigDocsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "docs", abstract: "Prints docs/configuration.md, as it is made of the table of settings.")

    func run() throws {
        try (Launch.current?.output ?? .standard).answer(SettingsPage.text)
    }
}
