// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing

@testable import Chard

@Suite("Failures of lost tasks on their way to another store", .timeLimit(.minutes(1)))
struct LateStatusesTests {
    private func statuses(_ ids: Range<Int>) -> [StatusRecord] {
        ids.map { StatusRecord(TaskStatus(id: "\($0)", state: .failure, result: Array("null".utf8)), timeToLive: nil) }
    }

    @Test("one task stores them all, however many come while the store is away, up to so many")
    func bounded() async throws {
        let store = LateStore()
        let late = LateStatuses(limit: 1_200, logger: quietLogger)
        late.store(statuses(0..<1), in: store)
        try await eventually("it is tried") { store.tries > 0 }
        for start in 1..<2_000 { late.store(statuses(start..<start + 1), in: store) }
        #expect(late.count == 1_200)
        #expect(store.atOnce == 1)
        store.comesBack()
        try await eventually("all that waited are stored") { store.stored.count == 1_201 }
        #expect(store.stored == (0...1_200).map { "\($0)" })
        #expect(store.atOnce == 1)
        // And later ones as well.
        late.store(statuses(5_000..<5_001), in: store)
        try await eventually("it is stored") { store.stored.last == "5000" }
    }
}

/// A store that is away until it comes back.
private final class LateStore: ResultStore {
    private struct State {
        var isAway = true
        var tries = 0
        var running = 0
        var atOnce = 0
        var stored: [String] = []
    }

    private let state = Mutex(State())

    var tries: Int { state.withLock { $0.tries } }
    var atOnce: Int { state.withLock { $0.atOnce } }
    var stored: [String] { state.withLock { $0.stored } }

    func comesBack() { state.withLock { $0.isAway = false } }

    func store(_ statuses: [StatusRecord]) async throws {
        state.withLock { state in
            state.tries += 1
            state.running += 1
            state.atOnce = max(state.atOnce, state.running)
        }
        defer { state.withLock { $0.running -= 1 } }
        await Task.yield()
        try state.withLock { state in
            if state.isAway { throw BrokerError(.unavailable, "it is away") }
            state.stored += statuses.map(\.id)
        }
    }

    let location = "late://"

    func connect() async throws {}
    func shutdown() async {}
    func status(of id: String) async throws -> TaskStatus? { nil }
    func statuses(of id: String) -> AsyncThrowingStream<TaskStatus, any Error> { AsyncThrowingStream { $0.finish() } }
    func forget(_ id: String) async throws -> Bool { false }
}
