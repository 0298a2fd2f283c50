// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Ticks while the task of the one before is unfinished", .timeLimit(.minutes(1)))
struct OverlapTests {
    let bench = BeatBench()

    private func start(_ overlap: ScheduleOptions.Overlap, limit: Duration = .seconds(3600)) async throws -> BeatRounds
    {
        bench.app.every(
            .seconds(60), run: bench.backup, "/home",
            options: ScheduleOptions(overlap: overlap, overlapLimit: limit))
        try await bench.app.registerSchedules()
        var beat = bench.rounds()
        bench.clock.advance(by: 60)
        _ = try await beat.round()
        return beat
    }

    private func store(_ state: TaskState) async throws {
        let id = try #require(try await bench.app.operator.schedules.find("backup")?.progress.taskID)
        try await bench.broker.store([StatusRecord(TaskStatus(id: id, state: state), timeToLive: .seconds(86_400))])
    }

    @Test("allow: they are sent all the same")
    func allow() async throws {
        var beat = try await start(.allow)
        bench.clock.advance(by: 60)
        _ = try await beat.round()
        #expect(try await bench.ticks() == [60, 120])
    }

    @Test(
        "skip: they are dropped until the task has a final status", arguments: [TaskState.success, .failure, .revoked])
    func skip(state: TaskState) async throws {
        var beat = try await start(.skip)
        for _ in 0..<2 {
            bench.clock.advance(by: 60)
            _ = try await beat.round()
        }
        try await store(.started)
        bench.clock.advance(by: 60)
        _ = try await beat.round()
        #expect(try await bench.ticks() == [60])
        try await store(state)
        bench.clock.advance(by: 59)
        _ = try await beat.round()
        #expect(try await bench.ticks() == [])
        bench.clock.advance(by: 1)
        _ = try await beat.round()
        #expect(try await bench.ticks() == [300])
        #expect(try await bench.app.operator.schedules.find("backup")?.progress.dropped == 3)
    }

    @Test("the task's status is kept, though the task by itself would keep none")
    func keepsStatus() async throws {
        bench.app.task("quiet", options: TaskOptions(ignoresResult: true)) {}
        var schedule = Schedule("own", .every(.seconds(60)), call: PeriodicCall("quiet"))
        schedule.overlap = .skip
        try await bench.app.operator.schedules.put(schedule)
        var beat = bench.rounds()
        bench.clock.advance(by: 60)
        _ = try await beat.round()
        #expect(try await bench.messages().map(\.ignoresResult) == [false])
    }

    @Test("wait: they become one, which is sent when the task has ended")
    func wait() async throws {
        var beat = try await start(.wait)
        for _ in 0..<3 {
            bench.clock.advance(by: 60)
            let (now, next) = try await beat.round()
            #expect(next ?? now > now)
        }
        #expect(try await bench.ticks() == [60])
        try await store(.success)
        bench.clock.advance(by: 5)
        _ = try await beat.round()
        #expect(try await bench.ticks() == [240])
        #expect(try await bench.app.operator.schedules.find("backup")?.progress.dropped == 2)
        bench.clock.advance(by: 55)
        _ = try await beat.round()
        #expect(try await bench.ticks() == [])
        try await store(.failure)
        _ = try await beat.round()
        #expect(try await bench.ticks() == [300])
    }

    @Test("wait: the end of the task wakes the beat")
    func wakes() async throws {
        let broker = MemoryBroker()
        let app = Chard("shop", broker: broker)
        let ping = app.task("ping") {}
        app.every(.milliseconds(200), run: ping, options: ScheduleOptions(overlap: .wait))
        let beat = Beat(app, logger: quietLogger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await beat.run() }
            try await eventually("a tick is sent") { try await app.operator.schedules.find("ping")?.progress.sent == 1 }
            let id = try #require(try await app.operator.schedules.find("ping")?.progress.taskID)
            try await eventually("the next one waits for its end") {
                broker.change { state, _ in state.listeners.waits(for: id) }
            }
            #expect(try await app.operator.schedules.find("ping")?.progress.sent == 1)
            try await broker.store([StatusRecord(TaskStatus(id: id, state: .success), timeToLive: nil)])
            // The beat would look again by itself only after five seconds.
            try await eventually("the next one is sent", within: .seconds(3)) {
                try await app.operator.schedules.find("ping")?.progress.sent == 2
            }
            beat.stop()
            try await group.waitForAll()
        }
    }

    @Test("a task without any status counts as ended after the limit, one with a status on the way does not")
    func limit() async throws {
        var beat = try await start(.skip, limit: .seconds(150))
        for _ in 0..<2 {
            bench.clock.advance(by: 60)
            _ = try await beat.round()
        }
        #expect(try await bench.ticks() == [60])
        bench.clock.advance(by: 60)
        _ = try await beat.round()
        #expect(try await bench.ticks() == [240])
        try await store(.retry)
        for _ in 0..<5 {
            bench.clock.advance(by: 60)
            _ = try await beat.round()
        }
        #expect(try await bench.ticks() == [])
    }
}
