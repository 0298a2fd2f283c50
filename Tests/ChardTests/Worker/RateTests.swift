// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import Chard

@Suite("A worker whose tasks have rates", .fewAtATime, .timeLimit(.minutes(3)))
struct RateTests {
    @Test("a task over its rate holds up no other, takes no slot, and comes back one by one")
    func holdsUpNobody() async throws {
        let (app, broker) = makeApp()
        let runs = Recorder<ContinuousClock.Instant>()
        let slow = app.task("slow", options: TaskOptions(rateLimit: .perSecond(10))) { () in runs.add(.now) }
        let quick = app.task("quick") { (x: Int) in x }
        let start = ContinuousClock.now
        try await withWorker(app, concurrency: 1) { worker in
            try await app.enqueue((0..<15).map { _ in try slow.signature() })
            for x in 0..<20 { #expect(try await quick.enqueue(x).value(timeout: .seconds(20)) == x) }
            #expect(worker.vitals.running.isEmpty)
            #expect(try await broker.queues().first?.leased == 0)
            try await eventually("all have run") { runs.count == 15 }
            // Each once, and what was put off is no end.
            try await eventually("all are done") { worker.vitals.done == 35 }
        }
        // One at once, fourteen at ten a second.
        #expect(.now - start >= .milliseconds(1_350))
    }

    @Test("a limit that is changed while the worker runs holds from then on")
    func changed() async throws {
        let (app, _) = makeApp()
        let task = app.task("t", options: TaskOptions(rateLimit: .perHour(1))) {}
        try await withWorker(app) { worker in
            try await task.enqueue().value(timeout: .seconds(20))
            worker.rates.set(.perSecond(1_000), of: "t")
            for _ in 0..<5 { try await task.enqueue().value(timeout: .seconds(20)) }
            worker.rates.set(nil, of: "t")
            try await task.enqueue().value(timeout: .seconds(20))
        }
    }
}
