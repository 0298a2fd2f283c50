// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import Synchronization
import TestServers
import Testing

@Suite("Orders on a Redis server", .timeLimit(.minutes(2)))
struct OrderTests {
    @Test("a task revoked while no worker was up does not run, and says REVOKED")
    func revokedWithoutWorker() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let runs = Mutex(0)
            let count = app.task("count") { runs.withLock { $0 += 1 } }
            let revoked = try await count.enqueue()
            let other = try await count.enqueue()
            try await revoked.revoke()
            try await bench.working(app) { _ async throws in
                try await other.value(timeout: .seconds(5))
                let error = await #expect(throws: TaskError.self) { try await revoked.value(timeout: .seconds(5)) }
                #expect(error?.type == "TaskRevokedError")
            }
            #expect(runs.withLock { $0 } == 1)
        }
    }

    @Test("a scheduled task that is revoked is removed at once")
    func revokedScheduled() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let task = app.task("task") { 1 }
            let result = try await task.enqueue(options: .init(countdown: .seconds(3_600)))
            #expect(try await bench.server.cli("ZCARD", "chard:scheduled:celery") == "1")
            try await result.revoke()
            #expect(try await bench.server.cli("ZCARD", "chard:scheduled:celery") == "0")
            #expect(try await bench.server.cli("EXISTS", "chard:scheduled:celery:messages") == "0")
            #expect(try await result.status().state == .revoked)
        }
    }

    @Test("a running task is cancelled by a terminating revocation, and only by that")
    func terminate() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let started = Mutex(0)
            let sleep = app.task("sleep") {
                started.withLock { $0 += 1 }
                try await Task.sleep(for: .seconds(60))
            }
            try await bench.working(app) { _ async throws in
                let result = try await sleep.enqueue()
                try await eventually("it runs") { started.withLock { $0 } == 1 }
                try await result.revoke()
                #expect(try await result.status().state == .pending)
                try await result.revoke(terminating: true)
                let error = await #expect(throws: TaskError.self) { try await result.value(timeout: .seconds(5)) }
                #expect(error?.message == "terminated")
            }
        }
    }

    @Test("nobody takes from a paused queue, whether it was paused before the worker came or after")
    func paused() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let task = app.task("task") { 1 }
            let broker = try bench.broker()
            #expect(try await broker.pause("celery"))
            #expect(try await !broker.pause("celery"))
            let options = WorkerOptions(queues: ["celery", "other"], concurrency: 2)
            try await bench.working(app, options) { _ async throws in
                let held = try await task.enqueue()
                let free = try await task.enqueue(options: .init(queue: "other"))
                #expect(try await free.value(timeout: .seconds(5)) == 1)
                #expect(try await held.status().state == .pending)
                #expect(try await broker.queues().first { $0.queue == "celery" }?.isPaused == true)
                #expect(try await broker.resume("celery"))
                #expect(try await held.value(timeout: .seconds(5)) == 1)
                try await eventually("it waits on both queues") { try await bench.blockingPops() == 8 }
                try await broker.pause("other")
                try await eventually("it waits on one queue") { try await bench.blockingPops() == 4 }
                let late = try await task.enqueue(options: .init(queue: "other"))
                #expect(try await task.enqueue().value(timeout: .seconds(5)) == 1)
                #expect(try await late.status().state == .pending)
                try await broker.resume("other")
                #expect(try await late.value(timeout: .seconds(5)) == 1)
            }
        }
    }

    @Test("a server that would throw tasks away is found out")
    func diagnosis() async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker()
            let before = try await broker.diagnose()
            #expect(!before.map(\.severity).contains(.danger))
            _ = try await bench.server.cli("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
            let after = try await broker.diagnose()
            let eviction = try #require(after.first { $0.subject == "eviction" })
            #expect(eviction.severity == .danger)
            #expect(eviction.advice == "set maxmemory-policy noeviction")
        }
    }
}
