// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// `revoke ID...`: keeps tasks from running.
struct RevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Keeps tasks from running.",
        discussion: """
            Durable: for 30 days, a worker that is down now obeys when it starts. A scheduled task is removed at once. A \
            task that runs already goes on, unless --terminate cancels it.
            """)

    @Argument(help: "The tasks' ids.", transform: OptionValues.name)
    var ids: [String]

    @Flag(help: "Also cancels those that run.")
    var terminate = false

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        try await common.withSession { session in
            try await session.reachedOperator().revoke(ids, terminating: terminate)
            try session.answer(
                ["revoked": .array(ids.map(JSON.string)), "terminate": .bool(terminate)],
                "\(Words.count(ids.count, "task")) revoked")
        }
    }
}
