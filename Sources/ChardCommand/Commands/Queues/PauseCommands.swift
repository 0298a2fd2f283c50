// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// `queues pause QUEUE`: keeps every worker from taking of a queue.
struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Lets no worker take from a queue until it is resumed.",
        discussion: "What was taken before goes on. Workers that start later obey, too.")

    @Argument(help: "The queue.", transform: OptionValues.name)
    var queue: String

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        try await common.withSession { session in
            let isNew = try await session.reachedOperator().queues.pause(queue)
            try session.answer(
                ["queue": .string(queue), "paused": true],
                isNew ? "\(queue.printable()) is paused" : "\(queue.printable()) was paused already")
        }
    }
}

/// `queues resume QUEUE`: lets workers take from it again.
struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Lets workers take from a paused queue again.")

    @Argument(help: "The queue.", transform: OptionValues.name)
    var queue: String

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        try await common.withSession { session in
            let wasPaused = try await session.reachedOperator().queues.resume(queue)
            try session.answer(
                ["queue": .string(queue), "paused": false],
                wasPaused ? "\(queue.printable()) is served again" : "\(queue.printable()) was not paused")
        }
    }
}
