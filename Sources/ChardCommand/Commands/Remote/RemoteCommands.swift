// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// `inspect METHOD`: asks workers what they do.
struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Asks workers, Swift's and Python's, what they do.",
        discussion: """
            Methods: \(RemoteMethod.inspecting.map(\.name).joined(separator: ", ")). As 'celery inspect': only workers that run now \
            answer. On Redis alone. With --json, one object of the answers by node.
            """)

    @OptionGroup var options: RemoteOptions

    func run() async throws {
        try await options.run(among: RemoteMethod.inspecting)
    }
}

/// `control METHOD`: changes how workers work.
struct ControlCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "control", abstract: "Changes how workers, Swift's and Python's, work.",
        discussion: """
            Methods: \(RemoteMethod.controlling.map(\.name).joined(separator: ", ")). As 'celery control': what is changed holds until \
            the worker ends; a revoked task stays revoked on Swift's workers. On Redis alone.
            """)

    @OptionGroup var options: RemoteOptions

    func run() async throws {
        try await options.run(among: RemoteMethod.controlling)
    }
}
