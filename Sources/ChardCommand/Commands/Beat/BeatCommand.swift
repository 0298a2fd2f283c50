// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// `beat`: sends the calls of all schedules.
struct BeatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "beat", abstract: "Calls tasks at the times of their schedules; lists and changes schedules.",
        subcommands: [
            Start.self, BeatAddCommand.self, BeatPauseCommand.self, BeatResumeCommand.self, BeatRunCommand.self,
            BeatRemoveCommand.self, BeatResetCommand.self,
        ], defaultSubcommand: Start.self)

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "start", abstract: "Calls tasks at their times, until it is stopped.",
            discussion: """
                Any number may run; each tick is sent once. SIGTERM or SIGINT ends it. Schedules of the program and those \
                of the operator are kept in the broker: --list shows all of them, with the next five times. With --json, \
                standard output gets one JSON document a line: an event "ready" and an event "stopped".
                """)

        @Flag(help: "Lists the schedules, and ends.")
        var list = false

        @Option(help: ServiceOptions.http)
        var http: String?

        @Option(parsing: .unconditional, help: ServiceOptions.startupWait)
        var startupWait: Seconds?

        @OptionGroup(title: "Common options")
        var common: CommonOptions

        func run() async throws {
            try await common.withSession(allowsMemory: list) { session in
                try session.app.validate()
                if list { return try await BeatListing(session).show() }
                let beat = Beat(
                    session.app,
                    brokerWait: try session.settings.seconds(.startupWait, flag: startupWait))
                let manager = ServiceManager(environment: session.environment)
                let signals = EndSignals {
                    manager?.tell("STOPPING=1")
                    beat.stop()
                }
                defer { signals.cancel() }
                let seen = BeatProbes(beat, of: session.app)
                let server = try await ProbeServer.start(
                    at: try session.settings.probeAddress(flag: http), seen, session)
                defer { server?.stop() }
                let watchdog = Watchdog(seen, for: manager)
                defer { watchdog?.end() }
                try await beat.run {
                    manager?.tell("READY=1", "STATUS=calls tasks at their times")
                    let own = session.app.ownSchedules.count
                    session.output.talk(
                        "\(session.app.name) beat is ready: it calls tasks at their times, by \(session.location), with "
                            + "\(Words.count(own, "schedule")) of its own")
                    session.announce("ready", ["app": .string(session.app.name), "schedules": .integer(own)])
                }
                session.output.talk("\(session.app.name) beat has stopped")
                session.announce("stopped", ["app": .string(session.app.name)])
            }
        }
    }
}

extension Session {
    /// Where the broker is, without password.
    fileprivate var location: String { (try? app.broker.location) ?? "no broker" }
}
