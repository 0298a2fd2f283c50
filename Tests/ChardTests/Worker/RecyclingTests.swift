// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("Processes that have done enough", .fewAtATime, .timeLimit(.minutes(3)))
struct RecyclingTests {
    @Test("a worker ends by itself after so many tasks, its running ones finished")
    func tasks() async throws {
        let (app, broker) = makeApp()
        let task = app.task("t") { () in 1 }
        try await app.enqueue((0..<50).map { _ in try task.signature() })
        var options = WorkerOptions(concurrency: 2, node: "test@here")
        options.maximumTasks = 10
        let worker = Worker(app, options: options, logger: quietLogger)
        try await worker.run()
        #expect(worker.hasEnded)
        #expect(worker.vitals.done >= 10)
        let report = try #require(try await broker.queues().first)
        #expect(report.waiting == 50 - worker.vitals.done && report.leased == 0)
    }

    @Test("it is said once, and never without a limit")
    func once() {
        var options = WorkerOptions()
        #expect(!Recycling(options).isDue(done: .max))
        options.maximumTasks = 3
        let recycling = Recycling(options)
        #expect([2, 3, 4].map { recycling.isDue(done: $0) } == [false, true, false])
    }

    @Test("the process's memory is known")
    func memory() {
        #expect(Recycling.residentMemory > 1 << 20)
    }
}
