// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// `dead`: messages that could not be run.
struct DeadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead", abstract: "Shows what could not be run, sends it again or drops it.",
        subcommands: [List.self, Show.self, Requeue.self, Drop.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Lists dead letters, newest first.",
            discussion: "The raw messages are left out; 'dead show' has them.")

        @Option(name: [.customShort("Q"), .long], help: "Only those of this queue.")
        var queue: String?

        @Option(
            help: ArgumentHelp("No more than so many.", valueName: "number"), transform: OptionValues.count)
        var limit = 50

        @OptionGroup(title: "Common options")
        var common: CommonOptions

        func run() async throws {
            try await common.withSession { session in
                let letters = try await session.reachedOperator().deadLetters
                let summaries = try await letters.summaries(in: queue, limit: limit)
                if session.isJSON {
                    return try session.output.answer(JSON.array(try summaries.map { try $0.document }))
                }
                let listed = summaries.map(\.letter)
                guard !listed.isEmpty else { return session.output.talk("no dead letters") }
                var table = Table("ID", "TASK", "QUEUE", "REASON", "ATTEMPTS", "DIED", "ERROR", rightAligned: [4])
                for letter in listed {
                    table.add(
                        letter.id, letter.task ?? "-", letter.queue, letter.reason.rawValue, "\(letter.attempts)",
                        Words.time(letter.diedAt), letter.error.shortened(to: 80))
                }
                try session.output.answer(table.text)
                if listed.count == limit { session.output.talk("there may be more; see --limit") }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Shows a dead letter with its raw message.",
            discussion: "With --json, the payload is in base64, and also in payload_text where it is UTF-8.")

        @Argument(help: "The letter's id.")
        var id: String

        @OptionGroup(title: "Common options")
        var common: CommonOptions

        func run() async throws {
            try await common.withSession { session in
                guard let letter = try await session.reachedOperator().deadLetters.find(id) else {
                    throw CommandError("there is no dead letter \(id)")
                }
                if session.isJSON {
                    return try session.output.answer(letter.document)
                }
                var listing = Listing()
                listing.add("id", letter.id)
                listing.add("task id", letter.taskID)
                listing.add("task", letter.task)
                listing.add("queue", letter.queue)
                listing.add("reason", letter.reason.rawValue)
                listing.add("error", letter.error)
                listing.add("attempts", "\(letter.attempts)")
                listing.add("lost", letter.lossWords)
                listing.add("worker", letter.worker)
                listing.add("died", Words.time(letter.diedAt))
                listing.add("size", Words.count(letter.payload.count, "byte"))
                let message = listing.add(messageOf: letter.payload, session.app)
                try session.output.answer(listing.text + "\n\n  " + message.indented())
            }
        }
    }

    struct Requeue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "requeue", abstract: "Sends dead letters back to their queues.")

        @Argument(help: "The letters' ids.")
        var ids: [String] = []

        @Flag(help: "All of them, oldest first.")
        var all = false

        @Option(name: [.customShort("Q"), .long], help: "With --all, only those of this queue.")
        var queue: String?

        @OptionGroup(title: "Common options")
        var common: CommonOptions

        func validate() throws {
            guard all == ids.isEmpty else { throw ValidationError("Name the letters, or say --all.") }
            guard all || queue == nil else { throw ValidationError("'--queue' goes with '--all'.") }
        }

        func run() async throws {
            try await common.withSession { session in
                let letters = try await session.reachedOperator().deadLetters
                // Read whole before the first is sent: a letter that dies again at once is not sent twice.
                let chosen =
                    all
                    ? try await letters.summaries(in: queue, limit: .max).map(\.letter.id).reversed() : ids
                try await DeadCommand.forEach(chosen, "requeued", session) { try await letters.requeue($0) }
            }
        }
    }

    struct Drop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "drop", abstract: "Deletes dead letters, for good.")

        @Argument(help: "The letters' ids.")
        var ids: [String]

        @OptionGroup(title: "Common options")
        var common: CommonOptions

        func run() async throws {
            try await common.withSession { session in
                let letters = try await session.reachedOperator().deadLetters
                try await DeadCommand.forEach(ids, "dropped", session) { try await letters.drop($0) }
            }
        }
    }

    /// Does something with each letter, and says which were there.
    private static func forEach(
        _ ids: [String], _ done: String, _ session: Session, _ body: (String) async throws -> Bool
    ) async throws {
        var found: [String] = []
        var missing: [String] = []
        for id in ids {
            if try await body(id) { found.append(id) } else { missing.append(id) }
        }
        if session.isJSON {
            try session.output.answer([
                .init(done): .array(found.map(JSON.string)), "missing": .array(missing.map(JSON.string)),
            ])
        } else {
            try session.output.answer("\(Words.count(found.count, "dead letter")) \(done)")
        }
        if !missing.isEmpty {
            throw CommandError("there is no dead letter \(missing.joined(separator: ", "))")
        }
    }
}

extension DeadLetterSummary {
    /// The letter as it is stored, and the size of its message in bytes.
    fileprivate var document: JSON {
        get throws {
            var document = try JSON(encoding: letter)
            document["payload"] = nil
            document["size"] = .integer(size)
            return document
        }
    }
}

extension DeadLetter {
    /// How often a worker was lost with it, which is no attempt of its own; `nil` where none was.
    fileprivate var lossWords: String? {
        guard let message = try? TaskMessage(decoding: payload), message.losses > 0 || reason == .workerLost else {
            return nil
        }
        // The letter has the message as the last worker held it.
        let losses = message.losses + (reason == .workerLost ? 1 : 0)
        return "\(Words.count(losses, "time")) with its worker"
    }

    /// The letter as it is stored, the size of its message in bytes, and the message as text where it is one.
    fileprivate var document: JSON {
        get throws {
            var document = try JSON(encoding: self)
            document["size"] = .integer(payload.count)
            document["payload_text"] = String(validating: payload, as: UTF8.self).map(JSON.string) ?? .null
            return document
        }
    }
}
