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
    /// let shop = app.add(Shop.self)  // a TaskSet, in whichever file
    /// await app.main()
    /// ```
    /// - Parameters:
    ///   - commands: Commands of the program's own, listed before the others. With ``CommonOptions`` in an option group
    ///     they take `--broker` and its kin, too.
    ///   - defaultCommand: The command that runs when none is named; by default, help is printed.
    ///   - version: The program's version, which `--version` tells beside Chard's.
    ///   - bootstrapsLogging: Whether `swift-log` is set up to write lines to standard error at the level of
    ///     `--log-level`. Say `false` where the program calls `LoggingSystem.bootstrap` itself.
    public func main(
        commands: [any AsyncParsableCommand.Type] = [], defaultCommand: (any AsyncParsableCommand.Type)? = nil,
        version: String? = nil, bootstrapsLogging: Bool = true
    ) async {
        // What was closed must not become a connection's number, and get the talk.
        for stream in Int32(0)...2 where fcntl(stream, F_GETFD) < 0 { _ = open("/dev/null", O_RDWR) }
        // A reader that went away is an error of a write, not the end of the program.
        signal(SIGPIPE, SIG_IGN)
        StartPages.releaseTables()
        let words = CommandLine.arguments
        let broken = CommandLineWords.brokenArgument
        let name = words.first?.split(separator: "/").last.map(String.init) ?? self.name
        var launch = Launch(
            app: self, name: name, environment: ProcessInfo.processInfo.environment, output: .standard,
            bootstrapsLogging: bootstrapsLogging)
        // One by one: an array as a whole is converted by asking the runtime of each element whether it conforms.
        launch.own = CommandConfiguration(subcommands: commands.map { $0 }, defaultSubcommand: defaultCommand)
        launch.version = version
        // Swift replaces such bytes without a word: a task would be called with something else than was said.
        if let broken {
            launch.output.talk("\(name): argument \(broken) is not UTF-8: '\(words[broken].printable())'")
            exit(CommandStatus.misused.rawValue)
        }
        let status = await launch.run(Array(words.dropFirst()))
        if status != .done { exit(status.rawValue) }
    }
}
