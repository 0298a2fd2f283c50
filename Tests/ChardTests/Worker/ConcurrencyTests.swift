// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing

@testable import Chard

@Suite("How much runs at once", .fewAtATime, .timeLimit(.minutes(3)))
struct ConcurrencyTests {
    @Test("never more than the concurrency, and as much as that", arguments: [1, 3, 8])
    func limit(_ concurrency: Int) async throws {
        let (app, _) = makeApp()
        let (crowd, gate) = (Crowd(), Gate())
        let task = app.task("t") { () in
            crowd.enter()
            defer { crowd.leave() }
            try await gate.pass()
            try await Task.sleep(for: .microseconds(.random(in: 0...500)))
        }
        try await withWorker(app, concurrency: concurrency) { worker in
            try await app.enqueue((0..<60).map { _ in try task.signature() })
            try await eventually("all slots are busy") { crowd.now == concurrency }
            gate.open()
            try await eventually("all are done") { worker.vitals.done == 60 }
        }
        #expect(crowd.most == concurrency)
    }

    @Test("blocking bodies run on threads of their own, as many as the concurrency, and stop no async task")
    func blocking() async throws {
        let (app, _) = makeApp()
        let (crowd, gate) = (Crowd(), Gate())
        let concurrency = ProcessInfo.processInfo.activeProcessorCount * 2 + 2
        let blocking = app.blockingTask("blocking") { () in
            crowd.enter()
            defer { crowd.leave() }
            return gate.block()
        }
        let quick = app.task("quick") { (x: Int) in x }
        try await withWorker(app, concurrency: concurrency) { worker in
            let held = try await app.enqueue((0..<concurrency - 1).map { _ in try blocking.signature() })
            try await eventually("all but one slot are blocked") { crowd.now == concurrency - 1 }
            for x in 0..<50 { #expect(try await quick.enqueue(x).value(timeout: .seconds(10)) == x) }
            let last = try await blocking.enqueue()
            let waiting = try await blocking.enqueue()
            try await eventually("all slots are blocked") { crowd.now == concurrency }
            gate.open()
            for result in held + [last, waiting] { #expect(try await result.value(timeout: .seconds(20))) }
        }
        #expect(crowd.most == concurrency)
    }

    @Test("bodies that compute without pause cannot hold up a time limit")
    func computing() async throws {
        let (app, _) = makeApp()
        let ends = Recorder<(id: String, time: Date)>()
        let options = TaskOptions(timeLimit: .milliseconds(50))
        let task = app.task("spin", options: options) { (context: TaskContext) in
            let end = ContinuousClock.now + .milliseconds(500)
            while ContinuousClock.now < end {}
            ends.add((context.id, Date()))
        }
        let cores = ProcessInfo.processInfo.activeProcessorCount
        try await withWorker(app, concurrency: cores) { _ in
            let results = try await app.enqueue((0..<cores).map { _ in try task.signature() })
            for result in results {
                let status = try await result.finalStatus(timeout: .seconds(20))
                #expect(status.error?.type == "TimeLimitExceeded")
                try await eventually("all bodies have ended") { ends.count == cores }
                let end = try #require(ends.all.first { $0.id == result.id }?.time)
                #expect(try #require(status.dateDone) < end)
            }
        }
    }

    @Test("what waits behind a long task is handed to a worker that is idle")
    func noHoarding() async throws {
        let scene = Congestion()
        async let running: Void = scene.worker.run()
        _ = try await scene.holdUp()
        let more = try await scene.sendMore(40)
        _ = try await scene.holds(41)
        let other = Worker(
            scene.app, options: WorkerOptions(concurrency: 1, node: "other@here"), logger: quietLogger)
        async let alsoRunning: Void = other.run()
        for id in more {
            #expect(try await scene.quick.result(of: id).value(timeout: .seconds(20)) == 1)
        }
        #expect(scene.worker.vitals.running.count == 1, "the long task still runs")
        scene.gate.open()
        scene.worker.stop(.gracefully)
        other.stop(.gracefully)
        _ = try await (running, alsoRunning)
    }

    @Test("several workers share a queue, and each task runs once")
    func shared() async throws {
        let (app, broker) = makeApp()
        let runs = Recorder<Int>()
        let task = app.task("t", options: TaskOptions(ignoresResult: true)) { (x: Int) in runs.add(x) }
        let workers = (0..<3).map { number in
            Worker(app, options: WorkerOptions(concurrency: 2, node: "w\(number)@here"), logger: quietLogger)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in workers { group.addTask { try await worker.run() } }
            for start in stride(from: 0, to: 2000, by: 100) {
                try await app.enqueue((start..<start + 100).map { try task.signature($0) })
            }
            try await eventually("all are done") { workers.reduce(0) { $0 + $1.vitals.done } == 2000 }
            for worker in workers { worker.stop(.gracefully) }
            try await group.waitForAll()
        }
        #expect(runs.all.sorted() == Array(0..<2000))
        #expect(try await broker.takeAll().isEmpty)
    }

    @Test("queues are served in turn, and only those that are asked for")
    func queues() async throws {
        let (app, broker) = makeApp()
        let order = Recorder<String>()
        let task = app.task("t") { (context: TaskContext) in order.add(context.queue) }
        for queue in ["a", "b", "c"] {
            for _ in 0..<5 { try await task.enqueue(options: EnqueueOptions(queue: queue)) }
        }
        try await withWorker(app, concurrency: 1, queues: ["a", "b"]) { worker in
            try await eventually("all are done") { worker.vitals.done == 10 }
        }
        #expect(Set(order.all.prefix(4)) == ["a", "b"])
        #expect(order.all.count { $0 == "a" } == 5)
        #expect(try await broker.queues().first { $0.queue == "c" }?.waiting == 5)
    }

    @Test("a soft limit never hits the task that has followed in its slot")
    func lateCancellation() async throws {
        let (app, _) = makeApp()
        let hits = Mutex(0)
        let short = app.task("short", options: TaskOptions(softTimeLimit: .milliseconds(2))) { () in
            let end = ContinuousClock.now + .microseconds(.random(in: 1900...2300))
            while ContinuousClock.now < end {}
        }
        let next = app.task("next") { () in
            let end = ContinuousClock.now + .microseconds(100)
            while ContinuousClock.now < end {}
            if Task.isCancelled { hits.withLock { $0 += 1 } }
        }
        try await withWorker(app, concurrency: 1) { worker in
            for _ in 0..<300 {
                try await app.enqueue([short.signature(), next.signature()])
            }
            try await eventually("all are done") { worker.vitals.done == 600 }
        }
        #expect(hits.withLock { $0 } == 0)
    }
}
