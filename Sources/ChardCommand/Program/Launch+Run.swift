// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

extension Launch {
    /// Runs one command line. What went wrong is said in one line behind the program's name.
    func run(_ arguments: [String]) async -> CommandStatus {
        await Self.$current.withValue(self) {
            do {
                try OpenFiles.check()
                let arguments = CommandLineWords.tidied(arguments)
                try explainWhatNeedsTasks(arguments)
                try await Self.run(try await RootCommand.asyncParseAsRoot(arguments))
                return .done
            } catch {
                return report(error)
            }
        }
    }

    private static func run<Command: ParsableCommand>(_ command: Command) async throws {
        if var asynchronous = command as? any AsyncParsableCommand {
            try await asynchronous.run()
        } else {
            var command = command
            try command.run()
        }
    }

    private func report(_ error: any Error) -> CommandStatus {
        let status = CommandStatus(error)
        if status == .done {
            // A request for help, a version or a completion script comes as an error.
            do {
                try output.answer(RootCommand.fullMessage(for: error))
                return status
            } catch {
                return report(error)
            }
        }
        var message = wording(of: error)
        // ArgumentParser ends its own messages with the command whose help to read.
        if let hint = RootCommand.fullMessage(for: error).split(separator: "\n").last, hint.hasPrefix("  See '") {
            message += hint.dropFirst()
        }
        if !message.isEmpty { output.talk("\(name): \(message.printable(keepingNewlines: true).indented())") }
        return status
    }

    private func wording(of error: any Error) -> String {
        switch error {
        case is CommandError, is BrokerError, is AppError, is ResultTimeout, is TaskError: return "\(error)"
        case is CancellationError: return "cancelled"
        default:
            let message = RootCommand.message(for: error)
            return message.isEmpty || message.hasSuffix(".") || message.hasSuffix("?") ? message : message + "."
        }
    }

    private func explainWhatNeedsTasks(_ arguments: [String]) throws(CommandError) {
        guard app.tasks.isEmpty, let command = arguments.first, command == "worker" || command == "tasks",
            !own.subcommands.contains(where: { $0._commandName == command })
        else { return }
        throw CommandError(
            "'\(command)' needs tasks, and \(name) has none; write a program that registers some with app.task(...) and "
                + "ends with 'await app.main()', then run '\(command)' there",
            status: .misused)
    }
}
