// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import MetricsTestKit
import Testing

@testable import Chard

@Suite("What is counted and measured", .fewAtATime, .timeLimit(.minutes(2)))
struct TaskMetricsTests {
    let metrics = TestMetrics()
    let app: Chard
    let broker: MemoryBroker

    init() {
        (app, broker) = makeApp()
    }

    private func count(_ name: MetricName, _ task: String, _ queue: String = "celery") -> Int64? {
        try? metrics.expectCounter(name.rawValue, [("task", task), ("queue", queue)]).totalValue
    }

    private func gauge(_ name: MetricName, _ queue: String? = nil) -> Double? {
        try? metrics.expectGauge(name.rawValue, queue.map { [("queue", $0)] } ?? []).lastValue
    }

    @Test("starts and ends, by task and queue, with run time and waiting time")
    func ends() async throws {
        app.add(observer: TaskMetrics(app, factory: metrics))
        let good = app.task("good") { () in 1 }
        let policy = RetryPolicy.constant(maxRetries: 1, delay: .zero)
        let bad = app.task("bad", options: TaskOptions(retry: policy)) { () in throw TaskError("ValueError", "no") }
        let refused = app.task("refused") { () in throw Reject("no") }
        try await withWorker(app, queues: ["celery", "other"]) { worker in
            for _ in 0..<3 { try await good.enqueue() }
            try await good.enqueue(queue: "other")
            try await bad.enqueue()
            try await refused.enqueue()
            try await eventually("all is done") { worker.vitals.done == 7 }
        }
        #expect(count(.started, "good") == 3 && count(.succeeded, "good") == 3)
        #expect(count(.succeeded, "good", "other") == 1)
        #expect(count(.started, "bad") == 2 && count(.retried, "bad") == 1 && count(.failed, "bad") == 1)
        #expect(count(.dead, "bad") == 1 && count(.dead, "refused") == 1 && count(.dead, "good") == 0)
        let run = try metrics.expectTimer(MetricName.runTime.rawValue, [("task", "good"), ("queue", "celery")])
        #expect(run.values.count == 3 && run.values.allSatisfy { $0 > 0 })
        let wait = try metrics.expectTimer(MetricName.waitingTime.rawValue, [("task", "good"), ("queue", "celery")])
        #expect(wait.values.count == 3 && wait.values.allSatisfy { $0 >= 0 && $0 < 60_000_000_000 })
    }

    @Test(
        "waiting is measured to the millisecond from when it was sent, and not where nobody knows since when it waits")
    func waiting() async throws {
        // The broker has the real clock, by which everything is due.
        let clock = ManualClock(1_700_000_000.9)
        let (app, broker) = makeApp(settings: Settings(now: { clock.now }))
        app.add(observer: TaskMetrics(app, factory: metrics))
        let policy = RetryPolicy.constant(maxRetries: 1, delay: .zero)
        let task = app.task("t", options: TaskOptions(retry: policy)) { (context: TaskContext) in
            if context.attempt == 1, context.id == "again" { throw TaskError("ValueError", "no") }
        }
        try await task.enqueue(id: "once")
        try await task.enqueue(id: "again")
        let python = TaskMessage(task: "t", id: "python", body: MessageBody(Arguments()), queue: "celery")
        try await broker.send([OutgoingMessage(id: "python", queue: "celery", payload: python.encoded())])
        clock.advance(by: 0.25)
        try await withWorker(app, concurrency: 1) { worker in
            try await eventually("all is done") { worker.vitals.done == 4 }
        }
        let wait = try metrics.expectTimer(MetricName.waitingTime.rawValue, [("task", "t"), ("queue", "celery")])
        #expect(wait.values.map { ($0 + 500_000) / 1_000_000 } == [250, 250, 0], "\(wait.values)")
    }

    @Test("what comes in messages makes no series: unknown names, and names beyond the limit, are added up")
    func bounded() async throws {
        app.add(observer: TaskMetrics(app, factory: metrics, mostNames: 2))
        for name in ["a", "b", "c", "d"] { app.task(name) { () in 1 } }
        try await withWorker(app) { worker in
            for index in 0..<50 { try await app.send("nobody.knows.\(index)") }
            try await eventually("they are over") { worker.vitals.done == 50 }
            for name in ["a", "b", "c", "d"] {
                _ = try await app.send(name).value(timeout: .seconds(20))
            }
        }
        #expect(count(.failed, TaskMetrics.other) == 50)
        #expect(count(.succeeded, TaskMetrics.other) == 2)
        #expect(metrics.counters(label: MetricName.started.rawValue).count == 3)
    }

    @Test("a task that is begun again after its worker was lost is counted as lost, and an end that was fenced as such")
    func losses() async throws {
        app.add(observer: TaskMetrics(app, factory: metrics))
        let gate = Gate()
        let task = app.task("t") { () in try await gate.pass() }
        try await withWorker(app) { _ in
            let call = try await task.enqueue()
            try await eventually("it runs") { gate.arrivals == 1 }
            try await broker.loseConsumers()
            try await eventually("it runs again") { gate.arrivals == 2 }
            gate.open()
            _ = try await call.finalStatus(timeout: .seconds(20))
        }
        #expect(count(.started, "t") == 2 && count(.lost, "t") == 1)
        let wait = try metrics.expectTimer(MetricName.waitingTime.rawValue, [("task", "t"), ("queue", "celery")])
        #expect(wait.values.count == 1, "since when the second run waited, nobody knows")
        #expect(count(.succeeded, "t") == 1)
    }

    @Test("gauges of queues and of a worker; those of a queue that is gone end, and of many the fullest have names")
    func gauges() async throws {
        let gate = Gate()
        let task = app.task("t") { () in try await gate.pass() }
        try await withWorker(app, concurrency: 2) { worker in
            let gauges = Gauges(app, worker: worker, mostQueues: 2, factory: metrics)
            for _ in 0..<2 { try await task.enqueue() }
            for _ in 0..<3 { try await task.enqueue(queue: "large") }
            try await task.enqueue(in: .seconds(600), queue: "large")
            try await task.enqueue(queue: "small")
            try await app.operator.queues.pause("large")
            try await eventually("both run") { gate.arrivals == 2 }
            try await gauges.record()
            #expect(gauge(.waiting, "large") == 3 && gauge(.delayed, "large") == 1 && gauge(.paused, "large") == 1)
            #expect(gauge(.leased, "celery") == 2 && gauge(.servers, "celery") == 1 && gauge(.servers, "large") == 0)
            #expect(gauge(.waiting, TaskMetrics.other) == 1 && gauge(.waiting, "small") == nil)
            #expect(gauge(.brokerUp) == 1 && gauge(.slots) == 2 && gauge(.running) == 2 && gauge(.consuming) == 1)
            #expect(gauge(.window).map { $0 >= 2 } == true && gauge(.held) == 2 && gauge(.stalled) == 0)
            gauges.forgetQueues()
            #expect(gauge(.brokerUp) == 0 && gauge(.waiting, "large") == nil)
            gate.open()
        }
    }

    @Test("a worker's thread answers while it runs; one that does not run says nothing")
    func answers() async throws {
        let task = app.task("t") { () in 1 }
        let worker = try await withWorker(app) { worker in
            _ = try await task.enqueue().value(timeout: .seconds(20))
            #expect(await worker.answers(within: .seconds(20)) == true)
            #expect(worker.figures.isConsuming)
            return worker
        }
        #expect(await worker.answers(within: .seconds(1)) == nil)
        #expect(!worker.figures.isConsuming)
    }
}
