// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Synchronization
import TestServers
import Testing

@testable import ChardRedis

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
    func revokedDelayed() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let task = app.task("task") { 1 }
            let result = try await task.enqueue(options: .init(countdown: .seconds(3_600)))
            #expect(try await bench.server.cli("ZCARD", "chard:{celery}:delayed") == "1")
            try await result.revoke()
            #expect(try await bench.server.cli("ZCARD", "chard:{celery}:delayed") == "0")
            #expect(try await bench.server.cli("EXISTS", "chard:{celery}:delayed-messages") == "0")
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

    @Test("a termination reaches a running task although the channel was cut just then")
    func terminateWithoutChannel() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let started = Mutex(0)
            let sleep = app.task("sleep") {
                started.withLock { $0 += 1 }
                try await Task.sleep(for: .seconds(60))
            }
            try await bench.working(app) { _ async throws in
                let results = [try await sleep.enqueue(), try await sleep.enqueue()]
                try await eventually("they run") { started.withLock { $0 } == 2 }
                let cutting = Task {
                    while !Task.isCancelled { _ = try await bench.server.cli("CLIENT", "KILL", "TYPE", "pubsub") }
                }
                try await Task.sleep(for: .milliseconds(100))
                let client = try bench.broker()
                try await client.revoke(results.map(\.id), terminating: true, timeToLive: .seconds(60))
                try await eventually("they are cancelled", within: .seconds(3)) {
                    for result in results where try await client.status(of: result.id)?.state != .revoked {
                        return false
                    }
                    return true
                }
                cutting.cancel()
            }
        }
    }

    @Test("a revocation costs a worker the same however many there are, and what it does not know it asks for")
    func manyRevoked() async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker()
            let ids = (0..<5_000).map { "revoked-\($0)" }
            try await broker.revoke(ids, terminating: false, timeToLive: .seconds(3_600))
            let consumer = try await bench.consumer()
            // At once, before all of them can be known.
            var message = TaskMessage(task: "t", id: ids[4_321], body: MessageBody(), queue: "celery")
            message.properties.priority = 0
            try await broker.send([OutgoingMessage(id: message.id, queue: "celery", payload: message.encoded())])
            let claimed = try await consumer.claim(upTo: 1)
            #expect(claimed.count == 1 && consumer.isRevoked(ids[4_321]) && !consumer.isRevoked("other"))
            try await eventually("all are known") { ids.allSatisfy(consumer.isRevoked) }
            func sent() async throws -> Int {
                let info = try await bench.server.cli("INFO", "stats")
                let line = info.split(whereSeparator: \.isNewline).first { $0.hasPrefix("total_net_output_bytes:") }
                return Int(line?.split(separator: ":").last ?? "") ?? 0
            }
            let first = try await sent()
            let second = try await sent()
            try await broker.revoke(["one more"], terminating: false, timeToLive: .seconds(3_600))
            try await eventually("it is known") { consumer.isRevoked("one more") }
            // Less what asking costs, and with what a second costs an idle worker.
            #expect(try await sent() - second - (second - first) < 1_500)
            await consumer.close()
        }
    }

    @Test("a key of the orders that holds something else is put aside, and holds up nobody")
    func wrongTypes() async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker()
            try await broker.revoke(["a"], terminating: false, timeToLive: .seconds(3_600))
            for key in ["revoked", "order-log"] { _ = try await bench.server.cli("SET", "chard:\(key)", "a string") }
            let consumer = try await bench.consumer()
            try await broker.send([bench.message("t")])
            #expect(try await consumer.claim(upTo: 1).count == 1)
            try await eventually("they are aside") {
                try await broker.asideItems().count == 2
            }
            try await broker.revoke(["b"], terminating: false, timeToLive: .seconds(3_600))
            try await eventually("it goes on") { consumer.isRevoked("b") }
            await consumer.close()
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
                try await eventually("it waits on both queues") { try await bench.blockingPops() == 2 }
                try await broker.pause("other")
                try await eventually("it waits on one queue") { try await bench.blockingPops() == 1 }
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
