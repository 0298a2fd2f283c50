// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

@testable import Chard

/// A memory broker whose consumers write down what they settle.
final class RecordingConsumerBroker: Broker {
    private let settlements = Recorder<Settlement>()
    fileprivate let reports = Recorder<StatusRecord>()
    let memory = MemoryBroker()
    private let failure = Mutex<BrokerError?>(nil)
    private let claimFailure = Mutex<BrokerError?>(nil)
    let location = "recording://"

    /// What was settled for good. A slow machine may hand back what it cannot start soon, and take it again.
    var settled: [Settlement] {
        settlements.all.filter { !$0.effects.contains { if case .putBack = $0 { true } else { false } } }
    }

    /// What was reported of runs under way.
    var reported: [StatusRecord] { reports.all }

    /// From now on settling throws this.
    func failSettling(with error: BrokerError) {
        failure.withLock { $0 = error }
    }

    /// The next claim throws this.
    func failClaiming(with error: BrokerError) {
        claimFailure.withLock { $0 = error }
    }

    fileprivate func checkClaim() throws {
        if let error = claimFailure.withLock({ $0 }) { throw error }
    }

    fileprivate func note(_ batch: [Settlement]) throws {
        if let error = failure.withLock({ $0 }) { throw error }
        for settlement in batch { settlements.add(settlement) }
    }

    func consumer(for subscription: Subscription) async throws -> any Consumer {
        RecordingConsumer(memory: try await memory.consumer(for: subscription), broker: self)
    }

    @discardableResult
    func send(_ messages: [OutgoingMessage]) async throws -> [Placement] { try await memory.send(messages) }
    func connect() async throws {}
    func store(_ statuses: [StatusRecord]) async throws { try await memory.store(statuses) }
    func status(of id: String) async throws -> TaskStatus? { try await memory.status(of: id) }
    func statuses(of id: String) -> AsyncThrowingStream<TaskStatus, any Error> { memory.statuses(of: id) }
    func forget(_ id: String) async throws -> Bool { try await memory.forget(id) }
    func shutdown() async {}
}

private struct RecordingConsumer: Consumer {
    let memory: any Consumer
    let broker: RecordingConsumerBroker

    var identity: String { memory.identity }
    var clockOffset: Double { memory.clockOffset }
    var seal: LossSeal { memory.seal }

    func settle(_ settlements: [Settlement]) async throws -> [Receipt] {
        try broker.note(settlements)
        return try await memory.settle(settlements)
    }

    func isRevoked(_ id: String) -> Bool { memory.isRevoked(id) }
    func noteLastChance(of id: String) async throws { try await memory.noteLastChance(of: id) }
    func claim(upTo count: Int) async throws -> [Delivery] {
        try broker.checkClaim()
        return try await memory.claim(upTo: count)
    }
    func wake() { memory.wake() }
    func report(_ effects: Effects) async throws -> Bool {
        for status in effects.statuses { broker.reports.add(status) }
        return try await memory.report(effects)
    }

    func leaseLost() async { await memory.leaseLost() }
    func isDrained() async throws -> Bool { try await memory.isDrained() }
    func close() async { await memory.close() }
}
