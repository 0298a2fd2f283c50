// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Scheduled tasks, looked at and changed", .timeLimit(.minutes(1)))
struct ScheduledTaskTests {
    @Test("list, move, run now, cancel")
    func changes() async throws {
        let bench = BeatBench()
        let app = bench.app
        let later = try await bench.backup.enqueue("later", options: .init(countdown: .seconds(120)))
        let sooner = try await bench.backup.enqueue("sooner", options: .init(queue: "other", countdown: .seconds(60)))
        let never = try await bench.backup.enqueue("never", options: .init(countdown: .seconds(180)))
        _ = try await bench.backup.enqueue("now")
        #expect(try await app.scheduledTasks.list().map(\.name) == [sooner.id, later.id, never.id])
        #expect(try await app.scheduledTasks.list(in: "celery", limit: 1).map(\.name) == [later.id])
        #expect(try await app.scheduledTasks.cancel(never.id))
        #expect(try await never.status().state == .revoked)
        #expect(try await app.scheduledTasks.move(sooner.id, to: bench.clock.now + 300))
        let moved = try #require(try await app.scheduledTasks.find(sooner.id))
        #expect(moved.dueAt == bench.clock.now + 300)
        #expect(moved.message?.eta == moved.dueAt)
        #expect(try await app.scheduledTasks.runNow(later.id))
        let ran = try await bench.messages()
        #expect(ran.map(\.eta) == [nil, nil])
        #expect(ran.first?.id == later.id)
        #expect(try await !app.scheduledTasks.runNow(later.id))
        #expect(try await !app.scheduledTasks.move("nothing", to: bench.clock.now))
        bench.clock.advance(by: 300)
        #expect(try await bench.messages(in: "other").map(\.id) == [sooner.id])
    }

    @Test("a task that keeps no result leaves no status when it is cancelled")
    func ignored() async throws {
        let bench = BeatBench()
        let result = try await bench.backup.enqueue(
            "x", options: .init(countdown: .seconds(60), ignoresResult: true))
        #expect(try await bench.app.scheduledTasks.cancel(result.id))
        #expect(try await result.status().state == .pending)
    }
}
