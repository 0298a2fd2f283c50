// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Logging
import ServiceLifecycle

/// An app's broker, and its result store where that is another, as a service: connected at the start, closed at the end.
///
/// A `ServiceGroup` shuts its services down in the reverse order of their list: name this one first, so that it is closed
/// last, when the worker has settled and the web server has sent what they had.
///
/// ```swift
/// let group = ServiceGroup(
///     services: [BrokerService(app), Worker(app), Beat(app), webServer],
///     gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
/// ```
public struct BrokerService: Service {
    private let app: Chard
    private let logger: Logger
    /// For how long messages that wait for the broker may keep the process from ending.
    private static let patience = Duration.seconds(5)

    /// Makes a service of an app's broker, whichever that will be when it runs. The logger is told which messages of the send
    /// buffer could not be sent any more.
    public init(_ app: Chard, logger: Logger = Logger(label: "chard")) {
        self.app = app
        self.logger = logger
    }

    /// Connects, then waits for the graceful shutdown, and closes all connections.
    ///
    /// A cancellation reaches all services of a group at once: then it waits until the app's workers and beats have ended,
    /// which hand back what they held.
    /// - Throws: ``AppError`` when the app has no broker; ``BrokerError`` when it cannot be reached.
    public func run() async throws {
        let broker = try app.broker
        let results = app.keepsResultsElsewhere ? try app.results : nil
        try await broker.connect()
        try await results?.connect()
        do {
            try await gracefulShutdown()
        } catch {
            await app.attendance.isOver()
        }
        // In a task of its own, which no cancellation reaches.
        let lost = await Task { [app] in await app.buffer?.finish(within: Self.patience) ?? [] }.value
        if !lost.isEmpty {
            logger.error(
                "the broker is away; \(lost.count) messages that were kept for it are lost",
                metadata: ["ids": "\(lost.prefix(1_000).joined(separator: " "))"])
        }
        await broker.shutdown()
        await results?.shutdown()
    }
}
