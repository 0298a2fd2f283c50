// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import ChardCrypto

/// `keys`: what messages are signed with, and values sealed.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Makes keys that messages are signed with, or values sealed; seals and opens values.",
        subcommands: [KeysNewCommand.self, KeysSealCommand.self, KeysOpenCommand.self])
}

/// `keys new`: a fresh key, as the settings take it.
struct KeysNewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Prints a fresh key as CHARD_SIGNING_KEYS or CHARD_ENCRYPTION_KEYS take it.",
        discussion: """
            The answer is a secret, but for the public half of ed25519, which follows on a line of its own: that is all that others \
            need to check the signatures. Nothing is kept or connected to.
            """)

    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case hmac, ed25519, aes
    }

    @Option(
        help: ArgumentHelp(
            "hmac: one key for all, who sign and check; ed25519: a private one that signs, a public one that checks; aes: "
                + "one to seal values with.", valueName: "kind"))
    var kind = Kind.hmac

    @Option(
        help: ArgumentHelp(
            "Its name, which travels with what it signs or seals; by default, a new one.", valueName: "name"))
    var name: String?

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        guard let launch = Launch.current else { return }
        let name = name ?? "k" + TaskID.random().prefix(8)
        let (key, publicHalf) = try key(named: name)
        if common.json {
            return try launch.output.answer([
                "name": .string(name), "kind": .string(kind.rawValue), "key": .string(key),
                "public_key": publicHalf.map(JSON.string) ?? .null,
            ])
        }
        try launch.output.answer(key)
        if let publicHalf { try launch.output.answer(publicHalf) }
    }

    private func key(named name: String) throws -> (String, publicHalf: String?) {
        do throws(AppError) {
            switch kind {
            case .hmac: return (try SigningKey.random(id: name).text, nil)
            case .ed25519:
                let key = try SigningKey.random(id: name, ed25519: true)
                return (key.text, key.publicHalf?.text)
            case .aes: return (try SealingKeys.randomText(id: name), nil)
            }
        } catch {
            throw CommandError("--name: \(error)", status: .misused)
        }
    }
}
