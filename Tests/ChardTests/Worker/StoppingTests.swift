// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Ends of a worker", .fewAtATime, .timeLimit(.minutes(3)))
struct StoppingTests {
    @Test("stopped at once: what runs is cancelled, all goes back in order, uncounted", arguments: [1, 3])
    func now(_ concurrency: Int) async throws {
        var congested = 0
        for _ in 0..<20 {
            let scene = Congestion(concurrency: concurrency)
            async let running: Void = scene.worker.run()
            let ids = try await scene.holdUp() + scene.sendMore(20)
            if try await scene.holds(ids.count) { congested += 1 }
            scene.worker.stop(.now)
            try await running
            #expect(scene.worker.vitals.done == 200 && scene.worker.vitals.failed == 0)
            #expect(try await scene.report()?.leased == 0)
            for id in ids { #expect(try await scene.broker.status(of: id) == nil) }
            #expect(try await scene.broker.takeAll() == ids)
        }
        #expect(congested > 0)
    }

    @Test("stopped gracefully: what runs ends well, what waits goes back in order, nothing more is taken")
    func gracefully() async throws {
        let scene = Congestion(concurrency: 2)
        async let running: Void = scene.worker.run()
        let blocked = try await scene.holdUp()
        let more = try await scene.sendMore(20)
        _ = try await scene.holds(22)
        scene.worker.stop(.gracefully)
        try await eventually("the rest is handed back") { try await scene.report()?.waiting == 20 }
        #expect(try await scene.report()?.leased == 2)
        scene.gate.open()
        try await running
        for id in blocked {
            #expect(try await scene.blocked.result(of: id).value(timeout: .seconds(20)) == 1)
        }
        #expect(try await scene.broker.takeAll() == more)
        #expect(scene.worker.vitals.done == 202)
    }

    @Test("what does not end within the grace period is cancelled and goes back to the front, uncounted")
    func grace() async throws {
        for _ in 0..<5 {
            let scene = Congestion(concurrency: 2, grace: .milliseconds(30))
            async let running: Void = scene.worker.run()
            let ids = try await scene.holdUp() + scene.sendMore(3)
            _ = try await scene.holds(5)
            scene.worker.stop(.gracefully)
            try await running
            #expect(try await scene.broker.takeAll() == ids)
        }
    }

    @Test("a second, harder word goes before the first")
    func harder() async throws {
        let scene = Congestion(grace: .seconds(3600))
        async let running: Void = scene.worker.run()
        let ids = try await scene.holdUp()
        scene.worker.stop(.gracefully)
        scene.worker.stop(.now)
        try await running
        #expect(try await scene.broker.takeAll() == ids)
    }

    @Test("a body that ignores its cancellation does not keep the worker")
    func stubborn() async throws {
        let (app, broker) = makeApp()
        let gate = Gate()
        let task = app.task("t") { () in await gate.passStubbornly() }
        let told = Recorder<String>()
        var options = WorkerOptions(concurrency: 1, node: "test@here")
        options.onStubborn = { told.add($0) }
        let worker = Worker(app, options: options, logger: quietLogger)
        async let running: Void = worker.run()
        let result = try await task.enqueue()
        try await eventually("it runs") { gate.arrivals == 1 }
        worker.stop(.now)
        try await running
        gate.open()
        #expect(told.count == 1)
        #expect(try await broker.takeAll() == [result.id])
        #expect(try await result.status().state == .pending)
    }

    @Test("what is handed back does not run here any more: bodies have a moment to obey")
    func slowToObey() async throws {
        let (app, broker) = makeApp()
        let gate = Gate()
        let ends = Recorder<Int>()
        let task = app.task("t") { () in
            try? await gate.pass()
            // A clean-up that its cancellation does not cut short.
            await Task { try? await Task.sleep(for: .milliseconds(100)) }.value
            let waiting = try? await broker.queues().first { $0.queue == "celery" }?.waiting
            ends.add(waiting ?? 0)
            try Task.checkCancellation()
        }
        var options = WorkerOptions(concurrency: 2, node: "test@here")
        options.onStubborn = { _ in ends.add(-1) }
        let worker = Worker(app, options: options, logger: quietLogger)
        async let running: Void = worker.run()
        let ids = [try await task.enqueue().id, try await task.enqueue().id]
        try await eventually("they run") { gate.arrivals == 2 }
        worker.stop(.now)
        try await running
        #expect(ends.all == [0, 0])
        #expect(Set(try await broker.takeAll()) == Set(ids))
    }

    @Test("what runs when an error ends its worker goes back, and counts as lost")
    func endInError() async throws {
        let broker = RecordingConsumerBroker()
        let app = Chard("test", broker: broker)
        let gate = Gate()
        let long = app.task("long") { () in try await gate.pass() }
        let quick = app.task("quick") { () in }
        let worker = Worker(app, options: WorkerOptions(concurrency: 2, node: "test@here"), logger: quietLogger)
        let running = Task { try await worker.run() }
        let id = try await long.enqueue().id
        try await eventually("it runs") { gate.arrivals == 1 }
        broker.failClaiming(with: BrokerError(.unauthorized, "no"))
        // The claim under way brings it; the one behind that fails.
        try await quick.enqueue()
        await #expect(throws: BrokerError.self) { try await running.value }
        let messages = try await broker.memory.takeAllMessages()
        #expect(messages.first { $0.id == id }?.losses == 1)
        #expect(messages.filter { $0.id != id }.allSatisfy { $0.losses == 0 })
    }

    @Test("cancelling the task that runs the worker stops it")
    func cancelled() async throws {
        let scene = Congestion(grace: .milliseconds(20))
        let running = Task { try await scene.worker.run() }
        let ids = try await scene.holdUp()
        running.cancel()
        try? await running.value
        #expect(try await scene.broker.takeAll() == ids)
    }

    @Test("told to stop before it runs, it takes nothing")
    func beforehand() async throws {
        let (app, broker) = makeApp()
        let task = app.task("t") { () in 1 }
        let result = try await task.enqueue()
        for stop in [Worker.Stop.now, .gracefully] {
            let worker = Worker(app, options: WorkerOptions(concurrency: 1), logger: quietLogger)
            worker.stop(stop)
            try await worker.run()
            #expect(worker.vitals.done == 0)
        }
        #expect(try await broker.takeAll() == [result.id])
    }

    @Test("a handed back task runs in another worker, as its first attempt")
    func handedOver() async throws {
        let scene = Congestion()
        async let running: Void = scene.worker.run()
        let ids = try await scene.holdUp()
        scene.worker.stop(.now)
        try await running
        scene.gate.open()
        try await withWorker(scene.app) { _ in
            for id in ids {
                let attempt = try await scene.blocked.result(of: id).value(timeout: .seconds(20))
                #expect(attempt == 1)
            }
        }
    }

    @Test("a draining worker ends when nothing is left, what its tasks sent included")
    func drains() async throws {
        let (app, broker) = makeApp()
        let runs = Recorder<Int>()
        let leaf = app.task("leaf") { (x: Int) in runs.add(x) }
        let task = app.task("t") { (x: Int) in
            runs.add(x)
            try await leaf.enqueue(x + 100)
        }
        try await app.enqueue((0..<50).map { try task.signature($0) })
        let options = WorkerOptions(concurrency: 3, drains: true)
        let worker = Worker(app, options: options, logger: quietLogger)
        try await worker.run()
        #expect(runs.all.sorted() == Array(0..<50) + Array(100..<150))
        #expect(worker.vitals.done == 100)
        #expect(try await broker.workers().isEmpty)
    }

    @Test("it says once when it takes work")
    func ready() async throws {
        let (app, _) = makeApp()
        let ready = Recorder<Int>()
        let worker = Worker(app, options: WorkerOptions(concurrency: 1, node: "test@here"), logger: quietLogger)
        async let running: Void = worker.run { ready.add(1) }
        try await eventually("it is ready") { ready.count == 1 }
        worker.stop(.now)
        try await running
        #expect(ready.count == 1)
    }
}
