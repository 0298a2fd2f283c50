// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Synchronization
import Testing

@testable import Chard
@testable import ChardSQLite

@Suite("Schedules and scheduled tasks in a file", .timeLimit(.minutes(2)))
struct ScheduleTests {
    @Test("three beats send each tick once, at its time")
    func once() async throws {
        try await Bench.with { bench in
            let apps = (0..<3).map { _ in Chard("test", broker: bench.broker()) }
            let beats = apps.map { app in
                app.every(.milliseconds(200), run: app.task("ping") {})
                return Beat(app)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for beat in beats { group.addTask { try await beat.run() } }
                try await eventually("ten ticks are sent") {
                    try await apps[0].operator.schedules.find("ping")?.progress.sent ?? 0 >= 10
                }
                for beat in beats { beat.stop() }
                try await group.waitForAll()
            }
            let consumer = try await bench.consumer(["celery"], of: bench.broker())
            let ticks = try await consumer.claim(upTo: 1000).map { delivery in
                let message = try TaskMessage(decoding: delivery.payload)
                return try #require(message.headers["chard_tick"]?.string.flatMap(Timestamp.date)).milliseconds
            }
            await consumer.close()
            let first = try #require(ticks.first)
            #expect(ticks.count >= 10)
            #expect(ticks == ticks.indices.map { first + $0 * 200 })
        }
    }

    @Test("a change is known to another process's beat within moments")
    func changes() async throws {
        try await Bench.with { bench in
            let app = Chard("test", broker: bench.broker())
            let beat = Beat(app)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await beat.run() }
                let other = Chard("test", broker: bench.broker())
                func sent(_ name: String) async throws -> Int {
                    try await other.operator.schedules.find(name)?.progress.sent ?? 0
                }
                for name in ["fast", "beside"] {
                    try await other.operator.schedules.put(
                        Schedule(name, .every(.milliseconds(100)), call: PeriodicCall("x", queue: name)))
                }
                try await eventually("it runs", within: .seconds(3)) { try await sent("fast") >= 3 }
                #expect(try await other.operator.schedules.pause("fast"))
                let (fast, beside) = (try await sent("fast"), try await sent("beside"))
                try await eventually("another one goes on") { try await sent("beside") >= beside + 4 }
                #expect(try await sent("fast") == fast)
                beat.stop()
                try await group.waitForAll()
            }
        }
    }

    @Test("a change is told at once, here and to other processes, and to nobody once the watch is gone")
    func watched() async throws {
        try await Bench.with { bench in
            // So rare are the looks that only the bell can tell.
            let broker = bench.broker { $0.patrol = .seconds(600) }
            let other = bench.broker()
            let told = Mutex(0)
            var watch: (any Sendable)? = try await broker.watchSchedules { told.withLock { $0 += 1 } }
            for (count, changing) in [other, broker, other].enumerated() {
                let record = ScheduleRecord("schedule-\(count)")
                #expect(try await changing.keep(record, replacing: 0, restarting: false))
                try await eventually("it is told", within: .seconds(5)) { told.withLock { $0 } == count + 1 }
            }
            try await other.send([Bench.message("a")])
            _ = watch
            watch = nil
            #expect(try await other.keep(ScheduleRecord("late"), replacing: 0, restarting: false))
            try await broker.connect()
            #expect(told.withLock { $0 } == 3)
        }
    }

    @Test("a file from before there were schedules is brought up to date")
    func migrated() async throws {
        try await Bench.with { bench in
            let old = bench.broker()
            try await old.send([Bench.message("kept")])
            _ = try await old.engine.write(durably: false) { transaction in
                try transaction.db.execute(
                    sql: """
                        DROP TABLE history; DROP TABLE seal; DROP TABLE record; DROP TABLE record_value; DROP TABLE joined; DROP TABLE join_end;
                        DROP TABLE schedule; DELETE FROM counter WHERE name = 'schedules'; PRAGMA user_version = 1
                        """)
            }
            await old.shutdown()
            let broker = bench.broker()
            #expect(try await broker.schedules().records.isEmpty)
            #expect(try await broker.queues().map(\.waiting) == [1])
        }
    }

    @Test("scheduled tasks can be looked at, moved, run and cancelled")
    func delayedTasks() async throws {
        try await Bench.with { bench in
            let app = Chard("test", broker: bench.broker())
            let add = app.task("add") { (x: Int, y: Int) in x + y }
            let later = try await add.enqueue(1, 2, options: .init(countdown: .seconds(7200), priority: 6))
            let sooner = try await add.enqueue(3, 4, options: .init(queue: "other", countdown: .seconds(3600)))
            let never = try await add.enqueue(5, 6, options: .init(countdown: .seconds(9000)))
            #expect(try await app.operator.delayedTasks.list().map(\.name) == [sooner.id, later.id, never.id])
            #expect(try await app.operator.delayedTasks.list(in: "celery", limit: 1).map(\.name) == [later.id])
            #expect(try await app.operator.delayedTasks.find(later.id)?.priority == 6)
            #expect(try await app.operator.delayedTasks.cancel(never.id))
            #expect(try await never.status().state == .revoked)
            #expect(try await app.operator.delayedTasks.move(sooner.id, to: Date() + 0.1))
            #expect(try await app.operator.delayedTasks.runNow(later.id))
            #expect(try await !app.operator.delayedTasks.runNow(later.id))
            let consumer = try await bench.consumer(["celery", "other"], of: bench.broker())
            var ids: Set<String> = []
            while ids.count < 2 {
                for delivery in try await consumer.claim(upTo: 2) {
                    let message = try TaskMessage(decoding: delivery.payload)
                    #expect(message.eta ?? .distantPast <= Date())
                    ids.insert(message.id)
                }
            }
            #expect(ids == [later.id, sooner.id])
            await consumer.close()
        }
    }
}
