// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import Logging

/// What a command works with: the app with its broker set, the settings, and where to speak.
struct Session: Sendable {
    let app: Chard
    let program: String
    let environment: [String: String]
    let settings: SettingsReader
    /// Whether nobody named a broker.
    let usesDefaultBroker: Bool
    let isJSON: Bool
    let output: Output

    static let defaultBroker = "sqlite:///chard.db"

    init(_ options: CommonOptions, of program: Program) throws {
        app = program.app
        self.program = program.name
        output = program.output
        environment = program.environment
        isJSON = options.json
        settings = try SettingsReader(config: options.config, environment: program.environment)
        for warning in settings.warnings { output.talk("\(program.name): warning: \(warning)") }
        let level = try settings.text(.logLevel, flag: options.logLevel, named: "--log-level")
        if program.bootstrapsLogging {
            LineLogHandler.bootstrap(try level.map { try Logger.Level(naming: $0.value, from: $0.origin) } ?? .info)
        }
        usesDefaultBroker = try Self.setBroker(of: app, options, settings)
    }

    private static func setBroker(
        of app: Chard, _ options: CommonOptions, _ settings: SettingsReader
    ) throws -> Bool {
        let broker = try settings.text(.brokerURL, flag: options.broker, named: "--broker")
        let results = try settings.text(.resultsURL, flag: options.results, named: "--results")
        let prefix = try settings.text(.keyPrefix, flag: options.keyPrefix, named: "--key-prefix")
        let letters = try settings.integer(.deadLetterLimit, flag: nil)
        let letterTime = try settings.deadLetterTimeToLive()
        func open(_ url: SettingsReader.Found<String>) throws -> any InspectableBroker {
            do {
                return try openBroker(
                    url.value, keyPrefix: prefix?.value ?? "", deadLetterLimit: letters,
                    deadLetterTimeToLive: letterTime)
            } catch {
                throw BrokerError(error.code, "\(url.origin): \(error.message)", underlying: error)
            }
        }
        let inCode = try? app.broker
        if let inCode, broker == nil {
            if let prefix {
                throw CommandError(
                    "\(prefix.origin) has no effect: this program makes its broker in code, where the prefix belongs",
                    status: .misused)
            }
            if let results { app.use(broker: inCode, results: try open(results)) }
            return false
        }
        let opened = try open(broker ?? SettingsReader.Found(value: defaultBroker, origin: "the default broker"))
        var store: (any ResultStore)?
        // In one server, settling is one step; what is named twice must not come apart.
        if let results, case let other = try open(results), other.location != opened.location { store = other }
        app.use(broker: opened, results: store)
        return broker == nil
    }

    func close() async {
        guard let broker = try? app.broker, let results = try? app.results else { return }
        await broker.shutdown()
        if broker as AnyObject !== results as AnyObject { await results.shutdown() }
    }

    /// The broker, reached, as one that can be looked into.
    func inspectableBroker() async throws -> any InspectableBroker {
        let broker = try app.broker
        guard let inspectable = broker as? any InspectableBroker else {
            throw CommandError("the broker at \(broker.location) cannot be looked into", status: .misused)
        }
        try await inspectable.connect()
        return inspectable
    }

    /// The result store, reached.
    func results() async throws -> any ResultStore {
        let results = try app.results
        try await results.connect()
        return results
    }

    /// Ends a command that would only ever see an empty broker of its own.
    func refuseMemory() throws {
        guard try app.broker is MemoryBroker || app.results is MemoryBroker else { return }
        throw CommandError(
            "memory:// exists only inside the process that uses it, so nothing in it can be reached by a command; use "
                + "sqlite:/// or redis://",
            status: .misused)
    }

    /// Says of an error what only the session knows: that nobody named the broker which cannot be reached.
    func explaining(_ error: any Error) -> any Error {
        guard usesDefaultBroker, var error = error as? BrokerError, error.code == .unavailable else { return error }
        error.message += "; this is the default broker, --broker or CHARD_BROKER_URL names another"
        return error
    }
}
