// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import Logging

/// The options that every command takes. A program's own command takes them in an `@OptionGroup`, too:
///
/// ```swift
/// struct Serve: AsyncParsableCommand {
///     @OptionGroup var common: CommonOptions
///     func run() async throws {
///         try await common.withApp { app in ... }
///     }
/// }
/// ```
/// A flag wins over the environment variable, the variable over the settings file, the file over a broker that the
/// program set in code, and that over the default, `sqlite:///chard.db`, a file in the working directory.
public struct CommonOptions: ParsableArguments {
    /// The broker's URL, if it was given as a flag.
    @Option(
        help: ArgumentHelp(
            "The broker: sqlite:///, redis://, rediss:// or redis+unix://; by default, sqlite:///chard.db. "
                + "CHARD_BROKER_URL hides a password better.",
            valueName: "url"))
    public var broker: String?

    /// The result store's URL, if it was given as a flag.
    @Option(help: ArgumentHelp("Where results are kept; by default, in the broker.", valueName: "url"))
    public var results: String?

    /// What stands before every key, if it was given as a flag.
    @Option(help: ArgumentHelp("Stands before every key and channel, as kombu's global_keyprefix.", valueName: "text"))
    public var keyPrefix: String?

    /// The settings file, if it was given as a flag.
    @Option(help: ArgumentHelp("A settings file: JSON, with keys such as broker_url.", valueName: "file"))
    public var config: String?

    /// The log level, if it was given as a flag.
    @Option(
        name: [.customShort("l"), .long],
        help: ArgumentHelp("trace, debug, info, notice, warning, error or critical.", valueName: "level"))
    public var logLevel: String?

    /// The log's format, if it was given as a flag.
    @Option(
        help: ArgumentHelp("text, or json for one JSON object a line on standard error.", valueName: "format"))
    public var logFormat: String?

    /// Whether the answer is to be JSON.
    @Flag(help: "Answer with one JSON document; with one a line, where the command goes on.")
    public var json = false

    /// Makes options of which none was given.
    public init() {}

    /// Sets up logging and the app's broker, runs `body` with the app, and closes the connections.
    ///
    /// Nothing is connected before `body` does something that needs it. The app's dependencies are made before, and closed
    /// after `body`, unless a worker still needs them.
    public func withApp<Result>(_ body: (Chard) async throws -> Result) async throws -> Result {
        try await withSession(allowsMemory: true) { session in
            try await session.app.dependencies.open()
            do {
                let result = try await body(session.app)
                await session.app.dependencies.close()
                return result
            } catch {
                await session.app.dependencies.close()
                throw error
            }
        }
    }

    func withSession<Result>(
        allowsMemory: Bool = false, _ body: (Session) async throws -> Result
    ) async throws -> Result {
        guard let launch = Launch.current else {
            throw CommandError("no app: run this command through app.main(commands:)", status: .misused)
        }
        let session = try Session(self, of: launch)
        if !allowsMemory { try session.refuseMemory() }
        do {
            let result = try await body(session)
            await session.close()
            return result
        } catch {
            await session.close()
            throw session.explaining(error)
        }
    }
}
