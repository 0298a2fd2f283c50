// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("A lease that is gone", .fewAtATime, .timeLimit(.minutes(3)))
struct LeaseLossTests {
    @Test("the run is cancelled, writes nothing, and the task runs again under a new identity, the loss counted")
    func goesOn() async throws {
        let (app, broker) = makeApp()
        let gate = Gate()
        let seen = Recorder<String>()
        let task = app.task("t") { (context: TaskContext) in
            seen.add("attempt \(context.attempt), losses \(context.losses)")
            if context.losses == 0 {
                await gate.passStubbornly()
                seen.add("cancelled: \(context.isCancelled)")
                return "first"
            }
            return "second"
        }
        try await withWorker(app) { worker in
            let identity = try await identity(broker)
            let result = try await task.enqueue()
            try await eventually("it runs") { gate.arrivals == 1 }
            try await broker.loseConsumers()
            #expect(try await result.value(timeout: .seconds(20)) == "second")
            gate.open()
            try await eventually("the lost run has ended") { seen.count == 3 }
            #expect(seen.all == ["attempt 1, losses 0", "attempt 1, losses 1", "cancelled: true"])
            #expect(try await result.value() == "second")
            #expect(try await self.identity(broker) != identity)
            try await eventually("one is counted") { worker.vitals.done == 1 }
        }
    }

    @Test("a task whose processes are lost three times is put aside, and its caller told")
    func poison() async throws {
        let (app, broker) = makeApp()
        let runs = Recorder<Int>()
        let task = app.task("t") { (context: TaskContext) in
            runs.add(context.losses)
            try await broker.loseConsumers()
            try await Task.sleep(for: .seconds(30))
        }
        try await withWorker(app) { _ in
            let result = try await task.enqueue()
            let error = await thrown(TaskError.self) { try await result.value(timeout: .seconds(20)) }
            #expect(error?.type == "WorkerLost")
            #expect(
                error?.message
                    == "the worker was lost while it held the task, 3 times; the last was test@here, whose lease lapsed"
            )
            #expect(runs.all == [0, 1, 2])
            let letter = try #require(try await broker.deadLetter(result.id))
            #expect(letter.reason == .workerLost)
            #expect(letter.worker == "test@here")
        }
    }

    @Test("an error of the broker that waiting does not mend ends the worker with it")
    func fatal() async throws {
        let broker = RecordingConsumerBroker()
        let app = Chard("app", broker: broker)
        let task = app.task("t") { () in 1 }
        broker.failSettling(with: BrokerError(.damaged, "what is this"))
        try await task.enqueue()
        let error = await thrown(BrokerError.self) {
            try await Worker(app, options: WorkerOptions(concurrency: 1), logger: quietLogger).run()
        }
        #expect(error?.code == .damaged)
        #expect(try await broker.memory.queues().first?.waiting == 1)
    }

    private func identity(_ broker: MemoryBroker) async throws -> String? {
        try await eventually("a consumer is open") { try await broker.workers().count == 1 }
        return try await broker.workers().first?.identity
    }
}
