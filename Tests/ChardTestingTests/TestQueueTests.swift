// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardTesting
import Foundation
import Testing

@Suite("A test queue", .timeLimit(.minutes(1)))
struct TestQueueTests {
    let shop = Chard("shop").add(Shop.self)
    let queue: TestQueue

    init() {
        queue = TestQueue(shop.app)
    }

    @Test("what was enqueued is told, with its arguments and everything else")
    func enqueued() async throws {
        _ = try await shop.place(order: 7, card: "visa")
        #expect(queue.enqueued(shop.charge) == [.init(7, "visa")])
        #expect(queue.enqueued(shop.remind) == [.init(7)])
        #expect(queue.enqueued(shop.sendReceipt).isEmpty)
        let reminder = try #require(queue.messages(of: "shop.remind").first)
        #expect(reminder.properties.routingKey == "later")
        #expect(reminder.eta == queue.clock.now + 86_400)
        #expect(queue.messages.map(\.task) == ["shop.remind", "shop.charge"])
    }

    @Test("what tasks need is made before the first run, or is the test's own")
    func dependencies() async throws {
        struct Real: Sendable {}
        struct Swapped: Sendable { var isReal: Bool }
        shop.app.dependencies.register(Real.self, make: { Real() })
        shop.app.dependencies.register(Swapped.self, make: { Swapped(isReal: true) })
        shop.app.dependencies.register(Swapped(isReal: false))
        let task = shop.app.task("needy") { (context: TaskContext) in
            _ = try context.dependencies.get(Real.self)
            return try context.dependencies.get(Swapped.self).isReal
        }
        let isReal = try await task.enqueue()
        #expect(throws: MissingDependency.self) { try shop.app.dependencies.get(Real.self) }
        #expect(try await queue.value(of: isReal) == false)
    }

    @Test("draining runs what waits and what that enqueues, and leaves what is scheduled")
    func drains() async throws {
        let paid = try await shop.place(order: 7, card: "visa")
        let runs = try await queue.drain()
        #expect(runs.map(\.task) == ["shop.charge", "shop.receipt"])
        #expect(runs.allSatisfy { $0.end == .succeeded })
        #expect(queue.enqueued(shop.sendReceipt) == [.init(7)])
        #expect(try await paid.value() == "order 7 is paid")
        #expect(try await queue.drain().isEmpty)
        #expect(try await queue.runOne() == nil)
    }

    @Test("one at a time, of all queues or of one")
    func runsOne() async throws {
        try await shop.charge.enqueue(1, "visa", options: EnqueueOptions(queue: "payments"))
        try await shop.sendReceipt.enqueue(2)
        #expect(try await queue.runOne(from: "nowhere") == nil)
        let first = try #require(try await queue.runOne(from: "payments"))
        #expect(first.task == "shop.charge" && first.queue == "payments" && first.attempt == 1)
        #expect(try await queue.drain("payments").isEmpty)
        #expect(try await queue.drain().count == 2)
    }

    @Test("time passes at once: a countdown is over when the clock says so")
    func advances() async throws {
        let reminder = try await shop.remind.enqueue(7, options: EnqueueOptions(countdown: .seconds(86_400)))
        queue.advance(by: .seconds(86_399))
        #expect(try await queue.drain().isEmpty)
        queue.advance(by: .seconds(1))
        #expect(try await queue.drain().map(\.end) == [.succeeded])
        #expect(try await reminder.value() == 1)
    }

    @Test("a task that fails is retried by its policy, each time later")
    func retries() async throws {
        let order = try await shop.charge.enqueue(7, "")
        let start = queue.clock.now
        let first = try #require(try await queue.runOne())
        #expect(first.end == .retried(at: start + 60, TaskError(describing: CardRefused())))
        let runs = try await queue.run(for: .seconds(3_600))
        #expect(runs.map(\.attempt) == [2, 3, 4])
        #expect(runs.last?.end == .failed(TaskError(describing: CardRefused())))
        #expect(queue.clock.now == start + 3_600)
        let error = await #expect(throws: TaskError.self) { try await order.value() }
        #expect(error?.type == "CardRefused")
        #expect(queue.enqueued(shop.charge).count == 1)
        let letter = try #require(try await queue.broker.deadLetter(order.id))
        #expect(letter.reason == .retriesExhausted)
        // 60 + 120 + 240 seconds of backoff.
        #expect(letter.diedAt == start + 420)
    }

    @Test("the next runs of a task can be made to fail")
    func failsNext() async throws {
        queue.failNext(shop.charge, with: BankIsDown(), times: 2)
        let order = try await shop.charge.enqueue(7, "visa")
        let ends = try await queue.run(for: .seconds(600)).map(\.end)
        #expect(ends.count == 4)
        #expect(ends.suffix(2) == [.succeeded, .succeeded])
        #expect(try await order.value() == "order 7 is paid")
        #expect(queue.enqueued(shop.sendReceipt) == [.init(7)])
    }

    @Test("a worker that is lost in mid-run: the task runs again when its lease has lapsed")
    func losesWorker() async throws {
        queue.loseWorkerDuringNext(shop.charge)
        let order = try await shop.charge.enqueue(7, "visa")
        #expect(try await queue.drain().map(\.end) == [.workerLost])
        queue.advance(by: .seconds(11))
        #expect(try await queue.drain().isEmpty)
        queue.advance(by: .seconds(1))
        let runs = try await queue.drain()
        #expect(runs.map(\.end) == [.succeeded, .succeeded])
        #expect(try await order.value() == "order 7 is paid")
    }

    @Test("a task that loses its worker three times is put aside")
    func losesThreeWorkers() async throws {
        for _ in 1...3 { queue.loseWorkerDuringNext(shop.charge) }
        let order = try await shop.charge.enqueue(7, "visa")
        #expect(try await queue.run(for: .seconds(60)).map(\.end) == [.workerLost, .workerLost, .workerLost])
        #expect(try await order.status().error?.type == "WorkerLost")
        #expect(try await queue.broker.deadLetter(order.id)?.reason == .workerLost)
    }

    @Test("a result can be asked for at once: what is needed for it is run")
    func values() async throws {
        #expect(try await queue.value(of: shop.charge.enqueue(7, "visa")) == "order 7 is paid")
        let never = try await shop.remind.enqueue(1, options: EnqueueOptions(countdown: .seconds(60)))
        let error = await #expect(throws: TestQueueError.self) { try await queue.value(of: never) }
        #expect(error?.description.contains(never.id) == true)
        let refused = try await shop.charge.enqueue(8, "", options: EnqueueOptions(retry: .never))
        let failure = await #expect(throws: TaskError.self) { try await queue.value(of: refused) }
        #expect(failure?.type == "CardRefused")
    }

    @Test("revoked, expired and paused, as on any queue")
    func orders() async throws {
        let revoked = try await shop.sendReceipt.enqueue(1)
        try await revoked.revoke()
        try await shop.sendReceipt.enqueue(2, options: EnqueueOptions(expires: .seconds(5)))
        queue.advance(by: .seconds(6))
        #expect(try await queue.drain().map(\.end) == [.revoked("revoked"), .revoked("expired")])
        try await queue.broker.pause("celery")
        try await shop.sendReceipt.enqueue(3)
        #expect(try await queue.drain().isEmpty)
        try await queue.broker.resume("celery")
        #expect(try await queue.drain().count == 1)
    }

    @Test("tasks that enqueue one another without end are stopped, and named")
    func endless() async throws {
        let app = Chard("endless")
        app.task("again") { (number: Int) in
            try await app.send("again", Arguments([.integer(number + 1)]))
        }
        let queue = TestQueue(app)
        try await app.send("again", Arguments([0]))
        let error = await #expect(throws: TestQueueError.self) { try await queue.drain(limit: 50) }
        #expect(error?.description.contains("again") == true)
        #expect(queue.messages.count == 51)
    }

    @Test("what cannot be run is told as a failure, and kept")
    func unreadable() async throws {
        try await queue.broker.send([OutgoingMessage(id: "x", queue: "celery", payload: Array("{nonsense".utf8))])
        let run = try #require(try await queue.runOne())
        guard case .failed(let error) = run.end else {
            Issue.record("it came to \(run)")
            return
        }
        #expect(error.message.contains("malformed"))
        #expect(try await queue.broker.deadLetters(in: nil, limit: 9).count == 1)
    }

    @Test("an app in immediate mode has a real queue again")
    func takesOver() async throws {
        let shop = Chard("shop").add(Shop.self)
        shop.app.runImmediately()
        let queue = TestQueue(shop.app)
        try await shop.sendReceipt.enqueue(7)
        #expect(queue.enqueued(shop.sendReceipt) == [.init(7)])
        #expect(try await queue.drain().count == 1)
    }

    @Test("calls are compared argument by argument, and shown as they are written")
    func calls() {
        let call = Call(2, "a")
        #expect(call == Call(2, "a"))
        #expect(call != Call(2, "b"))
        #expect(call.description == #"(2, "a")"#)
        #expect(call.arguments.1 == "a")
    }
}
