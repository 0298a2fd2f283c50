// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// The program that runs, as its commands find it: ArgumentParser makes commands itself, so nothing can be handed to them.
struct Program: Sendable {
    /// The program whose command line is being run.
    @TaskLocal static var current: Program?

    /// The app whose commands these are.
    let app: Chard
    /// What the program is called on the command line.
    let name: String
    /// The environment variables.
    let environment: [String: String]
    /// Where answers and talk go.
    let output: Output
    /// Whether `swift-log` is to be set up here.
    let bootstrapsLogging: Bool
    /// The program's own commands, and the one that runs when none is named.
    var own = CommandConfiguration()

    var rootConfiguration: CommandConfiguration {
        var commands = own.subcommands
        if !app.tasks.isEmpty { commands += [WorkerCommand.self, TasksCommand.self] as [any ParsableCommand.Type] }
        commands += [
            SendCommand.self, ResultCommand.self, RevokeCommand.self, QueuesCommand.self, WorkersCommand.self,
            BeatCommand.self, ScheduledCommand.self, DeadCommand.self, PurgeCommand.self, MigrateCommand.self,
            DoctorCommand.self, BenchCommand.self,
        ]
        return CommandConfiguration(
            commandName: name,
            abstract: app.tasks.isEmpty
                ? "Sends tasks to queues, and looks after the queues." : "Runs and sends the tasks of \(app.name).",
            subcommands: commands, defaultSubcommand: own.defaultSubcommand)
    }
}

/// The command that has all others below it.
struct RootCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        Program.current?.rootConfiguration ?? CommandConfiguration()
    }
}
