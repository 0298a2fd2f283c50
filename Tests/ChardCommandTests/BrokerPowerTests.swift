// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardCommand
import FoundationEssentials
import Testing

@Suite("What a broker says that it can do")
struct BrokerPowerTests {
    private func check<Able>(_ power: BrokerPower<Able>, of broker: any Broker) {
        #expect((broker.power(power) != nil) == (broker is Able), "\(Able.self) of \(broker.location)")
        #expect(((try? broker.with(power)) != nil) == (broker is Able))
        // As what holds results.
        let store: any ResultStore = broker
        #expect((store.power(power) != nil) == (broker is Able), "\(Able.self) of \(broker.location)")
    }

    @Test("is what it conforms to", arguments: ["memory://", "sqlite:///powers.db", "redis://localhost"])
    func powers(url: String) throws {
        let broker = try openBroker(url)
        #expect(broker is any PoweredStore)
        check(.inspection, of: broker)
        check(.peeking, of: broker)
        check(.orders, of: broker)
        check(.supervision, of: broker)
        check(.delayedTasks, of: broker)
        check(.schedules, of: broker)
        check(.records, of: broker)
        check(.joins, of: broker)
        check(.diagnosis, of: broker)
        check(.history, of: broker)
        check(.aside, of: broker)
        check(.moving, of: broker)
        check(.mailbox, of: broker)
        check(.events, of: broker)
        check(.replicas, of: broker)
        check(.sharing, of: broker)
        check(.connections, of: broker)
        check(.threads, of: broker)
        check(.watching, of: broker)
        #expect(broker.isInMemory == (url == "memory://"))
    }

    @Test("is found out of one that does not say so")
    func others() throws {
        let broker = Historic(broker: MemoryBroker())
        #expect(broker.power(.history) != nil)
        #expect(broker.power(.records) == nil)
        let error = try #require(throws: AppError.self) { try broker.with(.records) }
        #expect("\(error)".contains("the broker at memory:// cannot keep records of workflows"), "\(error)")
    }
}

/// A broker of somebody else's, with a history and no other power.
private struct Historic: HistoryStore {
    let broker: MemoryBroker

    var location: String { broker.location }
    func connect() async throws {}
    func store(_ statuses: [StatusRecord]) async throws { try await broker.store(statuses) }
    func status(of id: String) async throws -> TaskStatus? { try await broker.status(of: id) }
    func statuses(of id: String) -> AsyncThrowingStream<TaskStatus, any Error> { broker.statuses(of: id) }
    func forget(_ id: String) async throws -> Bool { try await broker.forget(id) }
    func shutdown() async { await broker.shutdown() }
    func send(_ messages: [OutgoingMessage]) async throws -> [Placement] { try await broker.send(messages) }
    func consumer(for subscription: Subscription) async throws -> any Consumer {
        try await broker.consumer(for: subscription)
    }
    var historyLimits: HistoryLimits { broker.historyLimits }
    func note(_ attempts: [AttemptRecord]) async throws { try await broker.note(attempts) }
    func attempts(of id: String) async throws -> [Attempt] { try await broker.attempts(of: id) }
    func attempts(
        since: Date, onlyBad: Bool, limit: Int, matching isWanted: @escaping @Sendable (Attempt) -> Bool
    ) async throws -> [Attempt] {
        try await broker.attempts(since: since, onlyBad: onlyBad, limit: limit, matching: isWanted)
    }
    func attempts(after cursor: HistoryCursor?, limit: Int) async throws -> HistoryPage {
        try await broker.attempts(after: cursor, limit: limit)
    }
}
