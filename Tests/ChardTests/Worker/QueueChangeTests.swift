// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Queues that change while a worker runs", .fewAtATime, .timeLimit(.minutes(3)))
struct QueueChangeTests {
    let app: Chard
    let broker: MemoryBroker
    let runs = Recorder<String>()

    init() {
        (app, broker) = makeApp()
    }

    private func queue(_ name: String) -> EnqueueOptions { EnqueueOptions(queue: name) }

    private func waiting(_ queue: String) async throws -> Int {
        try await broker.queues().first { $0.queue == queue }?.waiting ?? 0
    }

    @Test("a queue that is added is served, one that is cancelled is not any more")
    func change() async throws {
        let task = app.task("t") { [runs] (context: TaskContext) in runs.add(context.queue) }
        try await withWorker(app, queues: ["a"]) { worker in
            try await task.enqueue(options: queue("a")).value(timeout: .seconds(20))
            try worker.consume("b")
            try await task.enqueue(options: queue("b")).value(timeout: .seconds(20))
            #expect(worker.queues == ["a", "b"])
            try worker.cancel(consuming: "a")
            try await eventually("the other queue is not served any more") {
                try await broker.workers().map(\.queues) == [["b"]]
            }
            try await task.enqueue(options: queue("a"))
            try await task.enqueue(options: queue("b")).value(timeout: .seconds(20))
            #expect(try await waiting("a") == 1)
            #expect(runs.all == ["a", "b", "b"])
            try await eventually("all three are counted") { worker.vitals.done == 3 }
        }
    }

    @Test("a worker without a queue is quiet: it ends what it runs, and takes nothing until it has a queue again")
    func quiet() async throws {
        let gate = Gate()
        let long = app.task("long") { () in try await gate.pass() }
        let short = app.task("short") { () in }
        try await withWorker(app, queues: ["a"]) { worker in
            let begun = try await long.enqueue(options: queue("a"))
            try await eventually("it runs") { worker.vitals.running.count == 1 }
            try worker.cancel(consuming: "a")
            try await eventually("no queue is served") { try await broker.workers().contains { $0.queues.isEmpty } }
            let later = try await short.enqueue(options: queue("a"))
            gate.open()
            try await begun.value(timeout: .seconds(20))
            #expect(try await waiting("a") == 1)
            try await eventually("what took from the queue is gone") {
                try await broker.workers().map(\.queues) == [[]]
            }
            try worker.consume("a")
            try await later.value(timeout: .seconds(20))
        }
    }

    @Test("what makes no sense is refused, and changes nothing")
    func refused() throws {
        let worker = Worker(app, options: WorkerOptions(queues: ["a"], node: "n@h"), logger: quietLogger)
        for (queues, words) in [
            ([""], "a queue's name is empty"), (["a", "a"], "a queue is named twice: a,a"),
        ] {
            let error = #expect(throws: AppError.self) { try worker.setQueues(queues) }
            #expect(error?.description == "worker n@h: \(words)")
        }
        try worker.consume("a")
        #expect(worker.queues == ["a"])
        try worker.setQueues(["b", "c"])
        #expect(worker.queues == ["b", "c"])
    }

    @Test(
        "a long task goes on and is settled, keeps only its own slot from the new queue, and there are no more runs than slots"
    )
    func longTask() async throws {
        let gate = Gate()
        let crowd = Crowd()
        let long = app.task("long") { (context: TaskContext) in
            crowd.enter()
            defer { crowd.leave() }
            try await gate.pass()
            return context.losses
        }
        let short = app.task("short") { (context: TaskContext) in
            crowd.enter()
            defer { crowd.leave() }
            try await Task.sleep(for: .milliseconds(1))
            return context.losses
        }
        try await withWorker(app, concurrency: 2, queues: ["a"]) { worker in
            let held = try await long.enqueue(options: queue("a"))
            try await eventually("it runs") { gate.arrivals == 1 }
            try worker.setQueues(["b"])
            let results = try await app.enqueue((0..<50).map { _ in try short.signature(options: queue("b")) })
            for result in results { #expect(try await result.value(timeout: .seconds(20)) == 0) }
            #expect(worker.vitals.running.map(\.id) == [held.id])
            #expect(try await broker.workers().flatMap(\.vitals.running).map(\.id) == [held.id])
            // And with no slot left, until the first of the long ones has ended.
            let other = try await long.enqueue(options: queue("b"))
            try await eventually("both run") { gate.arrivals == 2 }
            try worker.setQueues(["c"])
            let last = try await short.enqueue(options: queue("c"))
            gate.open()
            #expect(try await last.value(timeout: .seconds(20)) == 0)
            #expect(try await held.value(timeout: .seconds(20)) == 0)
            #expect(try await other.value(timeout: .seconds(20)) == 0)
            try await eventually("the old holds are closed") { try await broker.workers().map(\.queues) == [["c"]] }
        }
        #expect(crowd.most == 2)
    }

    @Test("what was claimed and not started is handed back, in order and uncounted")
    func handedBack() async throws {
        let scene = Congestion(concurrency: 1)
        async let running: Void = scene.worker.run()
        _ = try await scene.holdUp()
        let more = try await scene.sendMore(20)
        _ = try await scene.holds(21)
        try scene.worker.setQueues(["other"])
        try await eventually("all but what runs are back") { try await scene.report()?.waiting == 20 }
        #expect(try await scene.report()?.leased == 1)
        scene.gate.open()
        scene.worker.stop(.gracefully)
        try await running
        #expect(try await scene.broker.takeAll() == more)
    }

    @Test("under load queues come and go, and each message runs exactly once, with no loss counted")
    func underLoad() async throws {
        let names = ["a", "b", "c"]
        let task = app.task("t", options: TaskOptions(ignoresResult: true)) { [runs] (context: TaskContext, x: Int) in
            if x % 50 == 0 { try await Task.sleep(for: .milliseconds(5)) }
            runs.add("\(x)/\(context.losses)")
        }
        let count = 6_000
        try await withWorker(app, concurrency: 4, queues: names) { worker in
            async let sending: Void = {
                for start in stride(from: 0, to: count, by: 60) {
                    try await app.enqueue(
                        (start..<start + 60).map { try task.signature($0, options: queue(names[$0 % 3])) })
                    try await Task.sleep(for: .milliseconds(1))
                }
            }()
            var random = SeededGenerator(state: 7)
            for _ in 0..<150 {
                let name = names[Int.random(in: 0..<3, using: &random)]
                if worker.queues.contains(name), worker.queues.count > 1 {
                    try worker.cancel(consuming: name)
                } else {
                    try worker.consume(name)
                }
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...4, using: &random)))
            }
            try worker.setQueues(names)
            try await sending
            try await eventually("all are done", within: .seconds(60)) { worker.vitals.done == count }
            try await eventually("one hold is left") { try await broker.workers().count == 1 }
            #expect(worker.vitals.running.isEmpty)
        }
        #expect(runs.count == count)
        #expect(Set(runs.all) == Set((0..<count).map { "\($0)/0" }))
        for name in names { #expect(try await waiting(name) == 0) }
    }

    @Test("a stop reaches what runs under holds that were given up, too", arguments: [Worker.Stop.now, .gracefully])
    func stop(_ how: Worker.Stop) async throws {
        let gate = Gate()
        let task = app.task("t") { () in try await gate.pass() }
        let worker = Worker(
            app, options: WorkerOptions(queues: ["a"], concurrency: 2, node: "n@h"), logger: quietLogger)
        async let running: Void = worker.run()
        let result = try await task.enqueue(options: queue("a"))
        try await eventually("it runs") { gate.arrivals == 1 }
        try worker.setQueues(["b"])
        try await eventually("there are two holds") { try await broker.workers().count == 2 }
        worker.stop(how)
        if how == .gracefully { gate.open() }
        try await running
        #expect(try await broker.workers().isEmpty)
        #expect(try await waiting("a") == (how == .now ? 1 : 0))
        #expect(try await result.status().state == (how == .now ? .pending : .success))
    }

    @Test("a lost lease of the old hold ends its runs, and the new one goes on with all slots")
    func leaseLost() async throws {
        let gate = Gate()
        let task = app.task("t") { (context: TaskContext) in
            if context.losses == 0, context.queue == "a" { try await gate.pass() }
            return context.losses
        }
        try await withWorker(app, concurrency: 1, queues: ["a"]) { worker in
            let old = try await task.enqueue(options: queue("a"))
            try await eventually("it runs") { gate.arrivals == 1 }
            let identity = try #require(try await broker.workers().first?.identity)
            try worker.setQueues(["b", "a"])
            try await eventually("there are two holds") { try await broker.workers().count == 2 }
            _ = try await broker.declareLost(identity)
            #expect(try await old.value(timeout: .seconds(20)) == 1)
            #expect(try await task.enqueue(options: queue("b")).value(timeout: .seconds(20)) == 0)
        }
    }

    @Test("of the tasks on their last chance one starts at a time, also across a change of queues")
    func lastChance() async throws {
        let gate = Gate()
        let task = app.task("t") { (context: TaskContext) in
            if context.queue == "a" { try await gate.pass() }
            return context.losses
        }
        func send(_ id: String, to queue: String) async throws {
            var message = try app.message(
                for: task.signature(options: EnqueueOptions(queue: queue, id: id)).call, now: Date(), parent: nil)
            message.losses = Recovery.lastChance
            message = broker.seal.sealing(message)
            try await broker.send([message.outgoing])
        }
        try await withWorker(app, concurrency: 3, queues: ["a"]) { worker in
            try await send("1", to: "a")
            try await eventually("it runs") { gate.arrivals == 1 }
            try worker.setQueues(["b"])
            try await send("2", to: "b")
            try await eventually("it is held back") {
                try await broker.queues().first { $0.queue == "b" }?.leased == 1
            }
            #expect(worker.vitals.running.map(\.id) == ["1"])
            gate.open()
            #expect(try await task.result(of: "2").value(timeout: .seconds(20)) == 2)
            #expect(try await task.result(of: "1").value(timeout: .seconds(20)) == 2)
        }
    }
}
