// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import FoundationEssentials

/// `aside`: what stood where something else should, and held up tasks.
struct AsideCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "aside", abstract: "Shows what workers have put aside, puts it back or drops it.",
        discussion: """
            On a server that others write to, a key of Chard's or of a queue may hold something else than it should. Workers put \
            that aside, so that it holds up nobody. Messages that cannot be run are dead letters: see 'dead'.
            """,
        subcommands: [List.self, Restore.self, Drop.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Lists what was put aside, the oldest first.",
            discussion: "With --json also the key under which each is found now, for the server's own tools.")

        @OptionGroup(title: "Common options")
        var common: CommonOptions

        func run() async throws {
            try await common.withSession { session in
                let items = try await session.reachedOperator().aside.list()
                if session.isJSON { return try session.output.answer(JSON.array(items.map(\.document))) }
                guard !items.isEmpty else { return session.output.talk("nothing was put aside") }
                var table = Table("NAME", "STOOD AT", "IS", "SHOULD BE", "SIZE", "SINCE", "WORKER", rightAligned: [4])
                for item in items {
                    table.add(
                        item.name, item.place, item.kind ?? "-", item.expected, item.size.map(String.init) ?? "-",
                        Words.time(item.at), item.worker)
                }
                try session.output.answer(table.text)
            }
        }
    }

    struct Restore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "restore", abstract: "Puts back what was put aside.",
            discussion: "Where it still does not belong there, a worker puts it aside again.")

        @Argument(help: "The names that 'aside list' shows.")
        var names: [String]

        @OptionGroup(title: "Common options")
        var common: CommonOptions

        func run() async throws {
            try await common.withSession { session in
                let aside = try await session.reachedOperator().aside
                try await AsideCommand.forEach(names, "restored", session) { try await aside.restore($0) }
            }
        }
    }

    struct Drop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "drop", abstract: "Deletes what was put aside, for good.")

        @Argument(help: "The names that 'aside list' shows.")
        var names: [String]

        @OptionGroup(title: "Common options")
        var common: CommonOptions

        func run() async throws {
            try await common.withSession { session in
                let aside = try await session.reachedOperator().aside
                try await AsideCommand.forEach(names, "dropped", session) { try await aside.drop($0) }
            }
        }
    }

    /// Does something with each, and says which were there.
    private static func forEach(
        _ names: [String], _ done: String, _ session: Session, _ body: (String) async throws -> Bool
    ) async throws {
        var found: [String] = []
        var missing: [String] = []
        for name in names {
            if try await body(name) { found.append(name) } else { missing.append(name) }
        }
        if session.isJSON {
            try session.output.answer([
                .init(done): .array(found.map(JSON.string)), "missing": .array(missing.map(JSON.string)),
            ])
        } else {
            try session.output.answer("\(found.count) \(done)")
        }
        if !missing.isEmpty { throw CommandError("nothing was put aside as \(missing.joined(separator: ", "))") }
    }
}

extension AsideItem {
    fileprivate var document: JSON {
        [
            "name": .string(name), "place": .string(place), "key": .string(key),
            "kind": kind.map(JSON.string) ?? .null, "expected": .string(expected),
            "size": size.map(JSON.integer) ?? .null, "reason": .string(reason), "worker": .string(worker),
            "at": .number(at.timeIntervalSince1970),
        ]
    }
}
