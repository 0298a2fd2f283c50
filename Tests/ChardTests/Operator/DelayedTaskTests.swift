// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Scheduled tasks, looked at and changed", .timeLimit(.minutes(1)))
struct DelayedTaskTests {
    @Test("list, move, run now, cancel")
    func changes() async throws {
        let bench = BeatBench()
        let app = bench.app
        let later = try await bench.backup.enqueue("later", options: .init(countdown: .seconds(120)))
        let sooner = try await bench.backup.enqueue("sooner", options: .init(queue: "other", countdown: .seconds(60)))
        let never = try await bench.backup.enqueue("never", options: .init(countdown: .seconds(180)))
        _ = try await bench.backup.enqueue("now")
        #expect(try await app.operator.delayedTasks.list().map(\.name) == [sooner.id, later.id, never.id])
        #expect(try await app.operator.delayedTasks.list(in: "celery", limit: 1).map(\.name) == [later.id])
        #expect(try await app.operator.delayedTasks.cancel(never.id))
        #expect(try await never.status().state == .revoked)
        #expect(try await app.operator.delayedTasks.move(sooner.id, to: bench.clock.now + 300))
        let moved = try #require(try await app.operator.delayedTasks.find(sooner.id))
        #expect(moved.dueAt == bench.clock.now + 300)
        #expect(moved.message?.eta == moved.dueAt)
        #expect(try await app.operator.delayedTasks.runNow(later.id))
        let ran = try await bench.messages()
        #expect(ran.map(\.eta) == [nil, nil])
        #expect(ran.first?.id == later.id)
        #expect(try await !app.operator.delayedTasks.runNow(later.id))
        #expect(try await !app.operator.delayedTasks.move("nothing", to: bench.clock.now))
        bench.clock.advance(by: 300)
        #expect(try await bench.messages(in: "other").map(\.id) == [sooner.id])
    }

    @Test("a task that keeps no result leaves no status when it is cancelled")
    func ignored() async throws {
        let bench = BeatBench()
        let result = try await bench.backup.enqueue(
            "x", options: .init(countdown: .seconds(60), ignoresResult: true))
        #expect(try await bench.app.operator.delayedTasks.cancel(result.id))
        #expect(try await result.status().state == .pending)
    }

    @Test("with a second store, a task that is cancelled is REVOKED there, too, for as long as the app keeps results")
    func cancelledElsewhere() async throws {
        let clock = ManualClock()
        var memory = MemorySettings()
        memory.now = { clock.now }
        var settings = Settings()
        settings.now = { clock.now }
        settings.resultExpires = .seconds(60)
        let store = MemoryBroker(settings: memory)
        let app = Chard("app", broker: MemoryBroker(settings: memory), results: store, settings: settings)
        let task = app.task("t") { () in 1 }
        let delayed = EnqueueOptions(countdown: .seconds(600))
        let ignored = try await task.enqueue(options: EnqueueOptions(countdown: .seconds(600), ignoresResult: true))
        let kept = try await task.enqueue(options: delayed)
        for id in [ignored.id, kept.id] { #expect(try await app.operator.delayedTasks.cancel(id)) }
        #expect(try await store.status(of: kept.id)?.state == .revoked)
        #expect(try await store.status(of: ignored.id) == nil)
        clock.advance(by: 60)
        #expect(try await store.status(of: kept.id) == nil)
    }
}
