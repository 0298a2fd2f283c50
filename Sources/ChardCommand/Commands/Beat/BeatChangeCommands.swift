// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// `beat pause NAME`.
struct BeatPauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Holds a schedule until it is resumed.",
        discussion: "No tick is sent, by no beat and after no restart, and none is caught up on.")

    @Argument(help: "The schedule.")
    var name: String

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        try await common.change(name, "paused") { try await $0.pause(name) }
    }
}

/// `beat resume NAME`.
struct BeatResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Lets a schedule go on, from now.")

    @Argument(help: "The schedule.")
    var name: String

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        try await common.change(name, "resumed") { try await $0.resume(name) }
    }
}

/// `beat remove NAME`.
struct BeatRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Removes a schedule.",
        discussion: "One of a program's code stays away until 'beat reset'.")

    @Argument(help: "The schedule.")
    var name: String

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        try await common.change(name, "removed") { try await $0.remove(name) }
    }
}

/// `beat reset NAME`.
struct BeatResetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset", abstract: "Makes a schedule what the program's code says, and lets it go on.")

    @Argument(help: "The schedule.")
    var name: String

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        try await common.change(name, "reset", among: "schedule of a program's code") { try await $0.reset(name) }
    }
}

/// `beat run NAME`.
struct BeatRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Sends the call of a schedule now, and prints the task's id.",
        discussion: "Its ticks go on as if nothing had been.")

    @Argument(help: "The schedule.")
    var name: String

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        try await common.withSession { session in
            guard let id = try await session.reachedOperator().schedules.runNow(name) else {
                throw CommandError("there is no schedule \(name)")
            }
            try session.answer(["name": .string(name), "id": .string(id)], id)
        }
    }
}

extension CommonOptions {
    /// Changes a schedule, and says so.
    fileprivate func change(
        _ name: String, _ done: String, among what: String = "schedule",
        _ body: (Operator.Schedules) async throws -> Bool
    ) async throws {
        try await withSession { session in
            guard try await body(session.reachedOperator().schedules) else {
                throw CommandError("there is no \(what) \(name)")
            }
            try session.answer(["name": .string(name), .init(done): true], "\(name.printable()) is \(done)")
        }
    }
}
