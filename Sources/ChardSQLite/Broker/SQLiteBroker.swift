// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Dispatch
import FoundationEssentials
import Logging
import Synchronization

/// The broker in a SQLite file, for all processes of one machine: no server is needed.
///
/// The file is opened, and made where there is none, when it is first used.
public final class SQLiteBroker: Broker, StatusWatching, PoweredStore {
    /// The file, as a URL.
    public var location: String { engine.location.description }

    let settings: SQLiteSettings
    let engine: Engine
    private let logger: Logger
    /// The queues that were noted as used, and when.
    private let noted = Mutex<[String: ContinuousClock.Instant]>([:])

    /// Makes a broker of the file at `location`; nothing is opened yet. What the location says of the settings counts.
    public init(_ location: SQLiteLocation, settings: SQLiteSettings = SQLiteSettings(), logger: Logger? = nil) {
        var settings = settings
        settings.synchronous = location.synchronous ?? settings.synchronous
        self.settings = settings
        self.logger = logger ?? Logger(label: "chard.sqlite")
        engine = Engine(location, settings, self.logger)
    }

    /// Makes sure that the file can be opened and written; where its disk is full, that it can be read.
    public func connect() async throws {
        try await engine.reach()
        if let network = FileSystem(of: engine.location.folder)?.networkName {
            logger.warning(
                "the file is on a network file system, where SQLite's locks cannot be relied on",
                metadata: ["path": "\(engine.location.path)", "file system": "\(network)"])
        }
    }

    /// Does what was asked before, then closes the file. What consumers still hold is found by others.
    public func shutdown() async {
        await engine.stop()
    }

    /// Writes messages in one transaction. Calls that come at the same time share one, and its wait for the disk.
    @discardableResult
    public func send(_ messages: [OutgoingMessage]) async throws -> [Placement] {
        guard !messages.isEmpty else { return [] }
        let fresh = unnoted(messages)
        let isSmall = messages.count == 1 && messages[0].payload.count < 16 << 10
        return try await engine.write(durably: true, isSmall: isSmall) { transaction in
            try transaction.note(fresh)
            try transaction.send(messages)
            return messages.map { Placement(of: $0, at: transaction.now) }
        } afterwards: { [weak self] _, _ in
            self?.noted.withLock { noted in for queue in fresh { noted[queue] = .now } }
        }
    }

    /// The queues of messages that this process has not noted as used for an hour.
    private func unnoted(_ messages: [OutgoingMessage]) -> Set<String> {
        let hourAgo = ContinuousClock.now - .seconds(3600)
        return noted.withLock { noted in
            var fresh: Set<String> = []
            for message in messages where noted[message.queue].map({ $0 < hourAgo }) ?? true {
                fresh.insert(message.queue)
            }
            return fresh
        }
    }

    /// Opens a hold on the file under a fresh identity.
    public func consumer(for subscription: Subscription) async throws -> any Consumer {
        try await SQLiteConsumer.open(subscription, engine, lease: settings.lease)
    }

    // MARK: ResultStore

    /// Stores and publishes statuses in one step.
    public func store(_ statuses: [StatusRecord]) async throws {
        guard !statuses.isEmpty else { return }
        try await engine.write(durably: true) { transaction in
            for status in statuses { try transaction.store(status) }
        }
    }

    /// The stored status.
    public func status(of id: String) async throws -> TaskStatus? {
        let json = try await engine.read { db in try StoredStatus.json(db, of: id, now: Date()) }
        return try json.map(TaskStatus.init(reading:))
    }

    /// The stored status, then each new one, whichever process stores it.
    public func statuses(of id: String) -> AsyncThrowingStream<TaskStatus, any Error> { stream(of: id) }

    package func watch(_ id: String, _ tell: @escaping StatusListener) -> @Sendable () -> Void {
        let watch = StatusWatch()
        begin(watch, of: id, tell)
        return { [engine] in
            guard let number = watch.end() else { return }
            engine.submit(
                Job(isDurable: false) { _ in
                    { loop in loop.unwatch(id, number) }
                } fail: { _ in
                })
        }
    }

    /// Begins a watch; tries again for as long as another program keeps the file locked.
    private func begin(_ watch: StatusWatch, of id: String, _ tell: @escaping StatusListener) {
        let fail = { @Sendable [weak self] (error: BrokerError) in
            guard error.isRetryable else { return tell(.failure(error)) }
            DispatchQueue.global().asyncAfter(deadline: .now() + 0.2) { [weak self] in
                if !watch.isOver { self?.begin(watch, of: id, tell) }
            }
        }
        engine.submit(
            Job(isDurable: false) { _ in
                { loop in
                    guard let number = loop.watch(id, tell) else {
                        return fail(BrokerError(.unavailable, "the status could not be read"))
                    }
                    if watch.isOver(with: number) { loop.unwatch(id, number) }
                }
            } fail: { error in
                fail(error)
            })
    }

    /// Deletes the stored status.
    public func forget(_ id: String) async throws -> Bool {
        try await engine.write(durably: true) { transaction in try transaction.forgetStatus(of: id) }
    }
}

/// A watch, which may be ended before it has begun.
private final class StatusWatch: Sendable {
    private let state = Mutex<(number: Int?, isOver: Bool)>((nil, false))

    /// Notes the listener's number. Returns whether it is not wanted any more.
    func isOver(with number: Int) -> Bool {
        state.withLock { state in
            state.number = number
            return state.isOver
        }
    }

    var isOver: Bool { state.withLock { $0.isOver } }

    /// Ends it. Returns the number if it has begun.
    func end() -> Int? {
        state.withLock { state in
            state.isOver = true
            return state.number
        }
    }
}
