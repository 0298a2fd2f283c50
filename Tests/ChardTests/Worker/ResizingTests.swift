// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("A worker whose concurrency is changed", .fewAtATime, .timeLimit(.minutes(3)))
struct ResizingTests {
    let app: Chard
    let broker: MemoryBroker
    let crowd = Crowd()
    let gate = Gate()
    let task: TaskHandle<Void>

    init() {
        (app, broker) = makeApp()
        task = app.task("t") { [crowd, gate] () in
            crowd.enter()
            defer { crowd.leave() }
            try await gate.pass()
        }
    }

    @Test("runs as many as it was told to: more at once, fewer as soon as runs have ended")
    func growAndShrink() async throws {
        try await withWorker(app, concurrency: 2) { worker in
            try await app.enqueue((0..<200).map { _ in try task.signature() })
            try await eventually("both slots are busy") { crowd.now == 2 }
            try worker.setConcurrency(7)
            try await eventually("seven are") { crowd.now == 7 }
            #expect(worker.vitals.concurrency == 7)
            #expect(try await broker.workers().map(\.concurrency) == [7])
            try worker.setConcurrency(3)
            #expect(crowd.now == 7)
            gate.open()
            try await eventually("all are done") { worker.vitals.done == 200 }
            #expect(crowd.most == 7)
        }
    }

    @Test("slots that were taken away while idle, or busy, never run anything again", arguments: [true, false])
    func shrunk(_ isIdle: Bool) async throws {
        let (few, closed) = (Crowd(), Gate())
        let held = Gate()
        let first = app.task("first") { () in try await held.pass() }
        let next = app.task("next") { () in
            few.enter()
            defer { few.leave() }
            try await closed.pass()
        }
        try await withWorker(app, concurrency: 6) { worker in
            if !isIdle {
                try await app.enqueue((0..<6).map { _ in try first.signature() })
                try await eventually("all slots are busy") { held.arrivals == 6 }
            }
            try worker.setConcurrency(2)
            held.open()
            try await eventually("nothing runs") { worker.vitals.running.isEmpty }
            try await app.enqueue((0..<20).map { _ in try next.signature() })
            try await eventually("both slots are busy") { few.now == 2 }
            // Every slot that is still there has had its chance when others have passed through these two.
            closed.open()
            try await eventually("all are done") { worker.vitals.done == (isIdle ? 20 : 26) }
            #expect(few.most == 2)
        }
    }

    @Test("keeps its size through a change of queues, and takes another while the old runs go on")
    func withQueues() async throws {
        let held = Gate()
        let long = app.task("long") { () in try await held.pass() }
        try await withWorker(app, concurrency: 4, queues: ["celery"]) { worker in
            try await app.enqueue((0..<4).map { _ in try long.signature() })
            try await eventually("all slots are busy") { held.arrivals == 4 }
            try worker.setQueues(["other"])
            try await eventually("the other queue is served") {
                try await broker.workers().contains { $0.queues == ["other"] }
            }
            try worker.setConcurrency(3)
            try worker.setConcurrency(2)
            try worker.setConcurrency(3)
            held.open()
            try await eventually("nothing runs") { worker.vitals.running.isEmpty }
            try await app.enqueue((0..<30).map { _ in try task.signature(options: EnqueueOptions(queue: "other")) })
            try await eventually("three slots are busy") { crowd.now == 3 }
            gate.open()
            try await eventually("all are done") { worker.vitals.done == 34 }
            #expect(crowd.most == 3)
        }
    }

    @Test("is never made smaller than one")
    func atLeastOne() {
        let worker = Worker(app, options: WorkerOptions(node: "n@h"), logger: quietLogger)
        let error = #expect(throws: AppError.self) { try worker.setConcurrency(0) }
        #expect(error?.description == "worker n@h: the concurrency is 0; it must be at least 1")
    }
}
