// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension Chard {
    /// Makes a program of the app: reads the command line, runs the command it names, and exits if that went wrong.
    ///
    /// ```swift
    /// let app = Chard("shop")
    /// let add = app.task("shop.add") { (x: Int, y: Int) in x + y }
    /// await app.main()
    /// ```
    /// - Parameters:
    ///   - commands: Commands of the program's own, listed before the others. With ``CommonOptions`` in an option group
    ///     they take `--broker` and its kin, too.
    ///   - defaultCommand: The command that runs when none is named; by default, help is printed.
    ///   - bootstrapsLogging: Whether `swift-log` is set up to write lines to standard error at the level of
    ///     `--log-level`. Say `false` where the program calls `LoggingSystem.bootstrap` itself.
    public func main(
        commands: [any AsyncParsableCommand.Type] = [], defaultCommand: (any AsyncParsableCommand.Type)? = nil,
        bootstrapsLogging: Bool = true
    ) async {
        // What was closed must not become a connection's number, and get the talk.
        for stream in Int32(0)...2 where fcntl(stream, F_GETFD) < 0 { _ = open("/dev/null", O_RDWR) }
        // A reader that went away is an error of a write, not the end of the program.
        signal(SIGPIPE, SIG_IGN)
        let words = CommandLine.arguments
        let name = words.first?.split(separator: "/").last.map(String.init) ?? self.name
        var program = Program(
            app: self, name: name, environment: ProcessInfo.processInfo.environment, output: .standard,
            bootstrapsLogging: bootstrapsLogging)
        program.own = CommandConfiguration(subcommands: commands, defaultSubcommand: defaultCommand)
        let status = await program.run(Array(words.dropFirst()))
        if status != .done { exit(status.rawValue) }
    }
}

extension Program {
    /// Runs one command line. What went wrong is said in one line behind the program's name.
    func run(_ arguments: [String]) async -> CommandStatus {
        await Self.$current.withValue(self) {
            do {
                let arguments = CommandLineWords.tidied(arguments)
                try explainWhatNeedsTasks(arguments)
                var command = try await RootCommand.asyncParseAsRoot(arguments)
                if var asynchronous = command as? any AsyncParsableCommand {
                    try await asynchronous.run()
                } else {
                    try command.run()
                }
                return .done
            } catch {
                return report(error)
            }
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
        if !message.isEmpty { output.talk("\(name): \(message.printable(keepingNewlines: true))") }
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
