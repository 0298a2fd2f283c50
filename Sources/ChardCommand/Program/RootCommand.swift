// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// The command that has all others below it: the list of what a program can do.
struct RootCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        Launch.current.map(configuration(of:)) ?? CommandConfiguration()
    }

    /// The version of Chard that is being made.
    static let version = Chard.version

    private static func versionText(of launch: Launch) -> String {
        let own = launch.version.map { " \($0)" } ?? ""
        return "\(launch.name)\(own) (Chard \(version))"
    }

    private static func configuration(of launch: Launch) -> CommandConfiguration {
        let app = launch.app
        var commands = launch.own.subcommands
        if !app.tasks.isEmpty { commands += [WorkerCommand.self, TasksCommand.self] as [any ParsableCommand.Type] }
        commands += [
            SendCommand.self, ResultCommand.self, ShowCommand.self, WhyCommand.self, ListCommand.self,
            RevokeCommand.self, WorkflowCommand.self, QueuesCommand.self, WorkersCommand.self, TopCommand.self,
            InspectCommand.self,
            ControlCommand.self, EventsCommand.self,
            BeatCommand.self, ScheduledCommand.self, DeadCommand.self, AsideCommand.self, PurgeCommand.self,
            MigrateCommand.self,
            DoctorCommand.self, ProbeCommand.self, ConfigCommand.self, KeysCommand.self, BenchCommand.self,
        ]
        #if Web
        commands.append(DashboardCommand.self)
        #endif
        return CommandConfiguration(
            commandName: launch.name,
            abstract: app.tasks.isEmpty
                ? "Sends tasks to queues, and looks after the queues." : "Runs and sends the tasks of \(app.name).",
            version: versionText(of: launch), subcommands: commands, defaultSubcommand: launch.own.defaultSubcommand)
    }
}
