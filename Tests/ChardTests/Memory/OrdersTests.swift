// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Revocations and paused queues", .fewAtATime, .timeLimit(.minutes(3)))
struct OrdersTests {
    @Test("a revoked task does not run, whenever its worker came")
    func revoked() async throws {
        let (app, broker) = makeApp()
        let runs = Recorder<String>()
        let task = app.task("t") { (context: TaskContext) in runs.add(context.id) }
        let result = try await task.enqueue()
        let other = try await task.enqueue()
        try await result.revoke()
        try await withWorker(app) { worker in
            let error = await thrown(TaskError.self) { try await result.value(timeout: .seconds(20)) }
            #expect(error?.type == "TaskRevokedError" && error?.message == "revoked")
            try await other.value(timeout: .seconds(20))
            try await eventually("both are counted") { worker.vitals.done == 2 && worker.vitals.failed == 0 }
        }
        #expect(runs.all == [other.id])
        #expect(try await broker.deadLetters(in: nil, limit: 9).isEmpty)
    }

    @Test("a scheduled task that is revoked is gone at once")
    func scheduled() async throws {
        let (app, broker) = makeApp()
        let task = app.task("t") { () in 1 }
        let result = try await task.enqueue(options: EnqueueOptions(countdown: .seconds(3600)))
        try await result.revoke()
        #expect(try await result.status().state == .revoked)
        #expect(try await broker.queues().allSatisfy { $0.delayed == 0 })
    }

    @Test("a task that runs is cancelled where that is wished, else it goes on")
    func terminated() async throws {
        let (app, _) = makeApp()
        let gate = Gate()
        let task = app.task("t") { () in
            try await gate.pass()
            return "ended well"
        }
        try await withWorker(app) { _ in
            let (spared, ended) = (try await task.enqueue(), try await task.enqueue())
            try await eventually("both run") { gate.arrivals == 2 }
            try await spared.revoke()
            try await ended.revoke(terminating: true)
            let error = await thrown(TaskError.self) { try await ended.value(timeout: .seconds(20)) }
            #expect(error?.type == "TaskRevokedError" && error?.message == "terminated")
            gate.open()
            #expect(try await spared.value(timeout: .seconds(20)) == "ended well")
        }
    }

    @Test("a revocation is remembered for as long as was said")
    func remembered() async throws {
        let clock = ManualClock()
        var settings = MemorySettings()
        settings.now = { clock.now }
        let broker = MemoryBroker(settings: settings)
        let consumer = try await broker.open()
        try await broker.revoke(["a"], terminating: false, timeToLive: .seconds(10))
        clock.advance(by: 9)
        #expect(consumer.isRevoked("a") && !consumer.isRevoked("b"))
        clock.advance(by: 1)
        #expect(!consumer.isRevoked("a"))
        await consumer.close()
    }

    @Test("a broker that keeps no orders says so")
    func unsupported() async {
        let app = Chard("app", broker: RecordingBroker())
        let error = await thrown(AppError.self) { try await app.operator.revoke(["a"]) }
        #expect(error?.description == "the broker at recording:// cannot keep orders: revoked tasks and paused queues")
    }
}
