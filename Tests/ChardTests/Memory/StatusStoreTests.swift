// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Statuses on the memory broker", .timeLimit(.minutes(1)))
struct StatusStoreTests {
    let clock = ManualClock()
    let broker: MemoryBroker

    init() {
        var settings = MemorySettings()
        settings.now = { [clock] in clock.now }
        broker = MemoryBroker(settings: settings)
    }

    private func store(_ id: String, _ state: TaskState, _ result: String = "null", timeToLive: Duration? = nil)
        async throws
    {
        let status = TaskStatus(id: id, state: state, result: Array(result.utf8))
        try await broker.store([StatusRecord(status, timeToLive: timeToLive)])
    }

    @Test("a status lives as long as its time to live, then a SUCCESS guards nothing any more")
    func timeToLive() async throws {
        try await store("a", .success, timeToLive: .seconds(10))
        try await store("b", .success)
        clock.advance(by: 9.9)
        #expect(try await broker.status(of: "a") != nil)
        clock.advance(by: 0.1)
        #expect(try await broker.status(of: "a") == nil)
        #expect(try await !broker.forget("a"))
        try await store("c", .success, timeToLive: .seconds(10))
        clock.advance(by: 10)
        try await store("c", .started)
        #expect(try await broker.status(of: "c")?.state == .started)
        clock.advance(by: 1e9)
        #expect(try await broker.status(of: "b") != nil)
    }

    @Test("statuses whose time is over take no memory for ever")
    func swept() async throws {
        for number in 0..<5000 { try await store("old-\(number)", .success, timeToLive: .seconds(1)) }
        clock.advance(by: 2)
        for number in 0..<5000 { try await store("new-\(number)", .success, timeToLive: .seconds(1)) }
        #expect(broker.change { state, _ in state.storedStatuses } <= 6000)
        #expect(try await broker.status(of: "new-4999") != nil)
    }

    @Test("a stream ends with its listener")
    func ends() async throws {
        let listener = Task {
            for try await _ in broker.statuses(of: "a") {}
        }
        try await eventually("it listens") { broker.change { state, _ in state.listeners.ids } == ["a"] }
        listener.cancel()
        try await listener.value
        try await eventually("nobody listens") { broker.change { state, _ in state.listeners.ids }.isEmpty }
    }
}
