// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardCrypto
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

    init(_ options: CommonOptions, of launch: Launch) throws {
        app = launch.app
        program = launch.name
        environment = launch.environment
        isJSON = options.json
        settings = try SettingsReader(config: options.config, environment: launch.environment)
        let style = try Self.style(options, settings, launch.environment)
        output = style.format == .json ? launch.output.inJSON : launch.output
        for warning in settings.warnings { output.talk("\(program): warning: \(warning)") }
        if launch.bootstrapsLogging { LineLogHandler.bootstrap(style) }
        usesDefaultBroker = try Self.setBroker(of: app, options, settings)
        if let signing = try settings.signing(inCode: app.signing) { app.use(signing: signing) }
        if let keys = try settings.sealingKeys() { app.dependencies.register(keys) }
    }

    private static func style(
        _ options: CommonOptions, _ settings: SettingsReader, _ environment: [String: String]
    ) throws -> LineLogHandler.Style {
        var style = LineLogHandler.Style(isColoured: Output.showsColours(environment))
        if let level = try settings.text(.logLevel, flag: options.logLevel, named: "--log-level") {
            style.level = try Logger.Level(naming: level.value, from: level.origin)
        }
        if let format = try settings.text(.logFormat, flag: options.logFormat, named: "--log-format") {
            style.format = try LogFormat(naming: format.value, from: format.origin)
        }
        return style
    }

    private static func setBroker(
        of app: Chard, _ options: CommonOptions, _ settings: SettingsReader
    ) throws -> Bool {
        let broker = try settings.text(.brokerURL, flag: options.broker, named: "--broker")
        let results = try settings.text(.resultsURL, flag: options.results, named: "--results")
        let prefix = try settings.text(.keyPrefix, flag: options.keyPrefix, named: "--key-prefix")
        let priorities = try settings.priorities()
        let letters = try settings.integer(.deadLetterLimit, flag: nil)
        let letterTime = try settings.deadLetterTimeToLive()
        let history = try settings.history()
        func open(_ url: SettingsReader.Found<String>) throws -> any InspectableBroker {
            do {
                return try openBroker(
                    url.value, keyPrefix: prefix?.value ?? "", priorities: priorities, deadLetterLimit: letters,
                    deadLetterTimeToLive: letterTime, history: history)
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
        let opened = try open(broker ?? .init(value: Setting.defaultBroker, origin: "the default broker"))
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

    /// The operator of the app, whose broker is reached.
    func reachedOperator() async throws -> Operator {
        try await app.broker.connect()
        return app.operator
    }

    /// The result store, reached.
    func results() async throws -> any ResultStore {
        let results = try app.results
        try await results.connect()
        return results
    }

    /// Answers with a document or, for people, with a line.
    func answer(_ document: JSON, _ line: String) throws {
        if isJSON { try output.answer(document) } else { try output.answer(line) }
    }

    /// With --json, says in one document that something has happened to what goes on: `{"event": "ready", ...}`. Whoever does not
    /// listen any more does not hold it up.
    func announce(_ event: String, _ members: [String: JSON]) {
        guard isJSON else { return }
        try? output.answer(JSON.object(members.merging(["event": .string(event)]) { $1 }))
    }

    /// Ends a command that would only ever see an empty broker of its own.
    func refuseMemory() throws {
        guard try app.broker.isInMemory || app.results.isInMemory else { return }
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
