// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ChardRedis
import Foundation
import Logging
import TestServers
import Testing

@testable import Chard

@Suite("Schedules on a Redis server", .timeLimit(.minutes(2)))
struct ScheduleTests {
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Runs beats, each on connections of its own, while `body` runs.
    private func beating(
        _ bench: BrokerBench, _ count: Int, _ register: (Chard) -> Void, _ body: (Chard) async throws -> Void
    ) async throws {
        let apps = try (0..<count).map { _ in try bench.app() }
        for app in apps { register(app) }
        let beats = apps.map { Beat($0, logger: Self.quiet) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for beat in beats { group.addTask { try await beat.run() } }
            try await body(apps[0])
            for beat in beats { beat.stop() }
            try await group.waitForAll()
        }
        for app in apps { try await app.broker.shutdown() }
    }

    /// The ticks that wait in a queue, oldest first, in milliseconds since 1970.
    private func ticks(_ bench: BrokerBench, _ queue: String = "celery") async throws -> [Int] {
        let broker = try bench.broker()
        let list = try await broker.client.send(RedisCommand("LRANGE", queue, 0, -1)).array ?? []
        await broker.shutdown()
        return try list.reversed().map { entry in
            let message = try TaskMessage(decoding: entry.bytes ?? [])
            let tick = try #require(message.headers["chard_tick"]?.string.flatMap(Timestamp.date)).milliseconds
            #expect(message.id == TaskID.of(tick: tick, schedule: message.headers["chard_schedule"]?.string ?? ""))
            #expect(message.headers["celery_beat_task"] == true)
            return tick
        }
    }

    @Test("three beats send each tick once, at its time")
    func once() async throws {
        try await BrokerBench.with { bench in
            try await beating(bench, 3) { app in
                let ping = app.task("ping") {}
                app.every(.milliseconds(100), run: ping)
            } _: { app in
                try await eventually("thirty ticks are sent") {
                    try await app.operator.schedules.find("ping")?.progress.sent ?? 0 >= 30
                }
            }
            let ticks = try await ticks(bench)
            let first = try #require(ticks.first)
            #expect(ticks == ticks.indices.map { first + $0 * 100 })
        }
    }

    @Test("changes are known at once to every beat, and no tick of what was before is sent after them")
    func changes() async throws {
        try await BrokerBench.with { bench in
            try await beating(bench, 2) { app in
                let ping = app.task("ping") {}
                app.every(.seconds(3600), run: ping)
            } _: { app in
                let other = try bench.app()
                for name in ["fast", "beside"] {
                    try await other.operator.schedules.put(
                        Schedule(name, .every(.milliseconds(100)), call: PeriodicCall("x", queue: name)))
                }
                try await eventually("it runs") {
                    try await other.operator.schedules.find("fast")?.progress.sent ?? 0 >= 3
                }
                #expect(try await other.operator.schedules.pause("fast"))
                let count = try await ticks(bench, "fast").count
                let beside = try await ticks(bench, "beside").count
                try await eventually("another one goes on") { try await ticks(bench, "beside").count >= beside + 4 }
                #expect(try await ticks(bench, "fast").count == count)
                #expect(try await other.operator.schedules.resume("fast"))
                try await eventually("it goes on") {
                    try await ticks(bench, "fast").count > count
                }
                for name in ["fast", "beside"] { #expect(try await other.operator.schedules.remove(name)) }
                #expect(try await other.operator.schedules.list().map(\.name) == ["ping"])
                let id = try #require(try await other.operator.schedules.runNow("ping"))
                #expect(try await bench.server.cli("LRANGE", "celery", "0", "-1").contains(id))
                try await other.broker.shutdown()
            }
            #expect(try await bench.server.cli("KEYS", "chard:schedule*").split(separator: "\n").count == 3)
        }
    }

    @Test("a server that came back empty is told the schedules of the code again")
    func emptied() async throws {
        try await BrokerBench.with { bench in
            try await beating(bench, 1) { app in
                let ping = app.task("ping") {}
                app.every(.milliseconds(100), run: ping)
            } _: { app in
                try await eventually("it runs") {
                    try await app.operator.schedules.find("ping")?.progress.sent ?? 0 >= 2
                }
                _ = try await bench.server.cli("FLUSHALL")
                try await eventually("it runs again") {
                    try await app.operator.schedules.find("ping")?.progress.sent ?? 0 >= 2
                }
            }
        }
    }

    @Test("what cannot be sent is not dealt with")
    func wrongType() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            try await app.operator.schedules.put(Schedule("s", .every(.seconds(3600)), call: PeriodicCall("x")))
            let record = try #require(try await app.operator.schedules.find("s"))
            _ = try await bench.server.cli("SET", "q", "no list")
            let step = TickStep(
                name: "s", version: record.version, last: record.progress.last, upTo: record.progress.last + 1,
                notBefore: 0, messages: [OutgoingMessage(id: "id", queue: "q", payload: [1])], dropped: 0)
            let store = try bench.broker()
            await #expect(throws: BrokerError.self) { try await store.send(step) }
            #expect(try await app.operator.schedules.find("s")?.progress == record.progress)
            await store.shutdown()
        }
    }

    @Test("a schedule that cannot be read keeps no other from being served, and can be replaced or removed")
    func damaged() async throws {
        try await BrokerBench.with { bench in
            let broker = RedisBroker(try RedisURL(bench.server.url), logger: Self.quiet)
            let app = Chard("test", broker: broker)
            let task = app.task("x") {}
            app.every(.seconds(3600), name: "bad", run: task)
            var record = ScheduleRecord("s")
            record.change = Schedule("s", .every(.seconds(1)), call: PeriodicCall("x"))
            #expect(try await broker.keep(record, replacing: 0, restarting: true))
            _ = try await bench.server.cli("SADD", "chard:schedules", "gone", "bad")
            _ = try await bench.server.cli("HSET", "chard:schedule:bad", "version", "1", "configuration", "{")
            #expect(try await broker.schedules().records.map(\.name) == ["bad", "s"])
            // A program that has one of that name may be of an older version: it leaves what it cannot read.
            try await app.registerSchedules()
            let found = try #require(try await app.operator.schedules.find("bad"))
            #expect(found.unreadable?.configuration == Array("{".utf8) && !found.isActive)
            for change in [app.operator.schedules.pause, app.operator.schedules.resume, app.operator.schedules.reset] {
                await #expect(throws: BrokerError.self) { _ = try await change("bad") }
            }
            await #expect(throws: BrokerError.self) { _ = try await app.operator.schedules.runNow("bad") }
            try await app.operator.schedules.put(Schedule("bad", .every(.seconds(60)), call: PeriodicCall("y")))
            #expect(try await app.operator.schedules.find("bad")?.schedule?.call.task == "y")
            _ = try await bench.server.cli("HSET", "chard:schedule:bad", "configuration", "{")
            #expect(try await app.operator.schedules.remove("bad"))
            #expect(try await app.operator.schedules.find("bad") == nil)
            try await app.registerSchedules()
            #expect(try await app.operator.schedules.find("bad")?.origin == .code)
            await broker.shutdown()
        }
    }
}

@Suite("Scheduled tasks on a Redis server", .timeLimit(.minutes(2)))
struct DelayedTaskTests {
    @Test("they can be looked at, moved, run and cancelled")
    func changes() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let add = app.task("add") { (x: Int, y: Int) in x + y }
            let later = try await add.enqueue(1, 2, options: .init(countdown: .seconds(7200), priority: 6))
            let sooner = try await add.enqueue(3, 4, options: .init(queue: "other", countdown: .seconds(3600)))
            let never = try await add.enqueue(5, 6, options: .init(countdown: .seconds(9000)))
            #expect(try await app.operator.delayedTasks.list().map(\.name) == [sooner.id, later.id, never.id])
            #expect(try await app.operator.delayedTasks.list(in: "celery", limit: 1).map(\.name) == [later.id])
            let found = try #require(try await app.operator.delayedTasks.find(later.id))
            #expect(found.priority == 6)
            #expect(found.message?.task == "add")
            #expect(abs(found.dueAt.timeIntervalSinceNow - 7200) < 60)

            #expect(try await app.operator.delayedTasks.cancel(never.id))
            #expect(try await never.status().state == .revoked)
            #expect(try await !app.operator.delayedTasks.cancel(never.id))
            #expect(try await app.operator.delayedTasks.move(sooner.id, to: Date() + 10_000))
            #expect(try await app.operator.delayedTasks.list().map(\.name) == [later.id, sooner.id])
            try await bench.working(app, WorkerOptions(queues: ["celery", "other"], concurrency: 2)) { _ async throws in
                #expect(try await app.operator.delayedTasks.runNow(later.id))
                #expect(try await later.value(timeout: .seconds(5)) == 3)
                // A worker goes by the message's own ETA, too: both were moved.
                #expect(try await app.operator.delayedTasks.move(sooner.id, to: Date() + 0.3))
                #expect(try await sooner.value(timeout: .seconds(5)) == 7)
            }
            #expect(try await app.operator.delayedTasks.list().isEmpty)
            #expect(try await !app.operator.delayedTasks.runNow(later.id))
            #expect(try await bench.server.cli("KEYS", "chard:*:delayed*").isEmpty)
        }
    }
}
