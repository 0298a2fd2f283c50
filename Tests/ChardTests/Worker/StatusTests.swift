// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing

@testable import Chard

@Suite("Statuses on the way", .fewAtATime, .timeLimit(.minutes(3)))
struct StatusTests {
    /// Who finds that a worker was lost.
    enum Finder { case `operator`, worker, nobodyYet }

    let app: Chard
    let broker: MemoryBroker

    init() {
        (app, broker) = makeApp()
    }

    /// All statuses of a call up to the last one.
    private func states<Output>(of result: AsyncResult<Output>) async throws -> [TaskStatus] {
        var seen: [TaskStatus] = []
        for try await status in try result.statuses() {
            seen.append(status)
            if status.state.isReady { break }
        }
        return seen
    }

    @Test("progress and own states are pushed in order")
    func pushed() async throws {
        let gate = Gate()
        let task = app.task("t") { (context: TaskContext) in
            try await gate.pass()
            try await context.progress(1, of: 3)
            try await context.setState(TaskState(rawValue: "BREWING"), meta: ["step": "steep"])
            try await context.progress(3, of: 3)
            return "tea"
        }
        try await withWorker(app) { _ in
            let result = try await task.enqueue()
            async let seen = states(of: result)
            try await eventually("the body waits") { gate.arrivals == 1 }
            gate.open()
            #expect(try await seen.map(\.state.rawValue) == ["PROGRESS", "BREWING", "PROGRESS", "SUCCESS"])
            #expect(
                try await seen.map(\.result) == [
                    ["current": 1, "total": 3], ["step": "steep"], ["current": 3, "total": 3], "tea",
                ])
            #expect(try await seen.allSatisfy { $0.id == result.id })
        }
    }

    @Test("STARTED is told where it is tracked, with the process and the node")
    func started() async throws {
        let gate = Gate()
        let tracked = app.task("tracked", options: TaskOptions(tracksStart: true)) { () in try await gate.pass() }
        let plain = app.task("plain") { () in try await gate.pass() }
        try await withWorker(app) { _ in
            let result = try await tracked.enqueue()
            let untold = try await plain.enqueue()
            try await eventually("both run") { gate.arrivals == 2 }
            let status = try await result.status()
            #expect(status.state == .started)
            #expect(status.result["pid"]?.integer == Int(ProcessInfo.processInfo.processIdentifier))
            #expect(status.result["hostname"] == "test@here")
            #expect(try await untold.status().state == .pending)
            gate.open()
            try await result.value(timeout: .seconds(20))
        }
    }

    @Test("a call that ignores its result is not tracked either, for nobody would end that status")
    func ignoredStart() async throws {
        let task = app.task("tracked", options: TaskOptions(tracksStart: true)) { () in 1 }
        try await withWorker(app) { worker in
            let result = try await task.enqueue(options: EnqueueOptions(ignoresResult: true))
            try await eventually("it is settled") { worker.vitals.done == 1 }
            #expect(try await broker.status(of: result.id) == nil)
        }
    }

    @Test("what runs is seen while it runs")
    func running() async throws {
        let gate = Gate()
        let task = app.task("slow") { () in try await gate.pass() }
        try await withWorker(app) { worker in
            let before = Date().timeIntervalSince1970
            let result = try await task.enqueue()
            try await eventually("it runs") { gate.arrivals == 1 }
            let running = worker.vitals.running
            #expect(running.map(\.id) == [result.id])
            #expect(running.map(\.task) == ["slow"])
            #expect(try #require(running.first).since >= before - 1)
            let report = try #require(try await broker.workers().first)
            #expect(report.node == "test@here" && report.queues == ["celery"] && report.concurrency == 2)
            #expect(report.vitals.running == running)
            #expect(try await broker.queues().first?.leased == 1)
            gate.open()
            try await result.value(timeout: .seconds(20))
            try await eventually("nothing runs") { worker.vitals.running.isEmpty }
        }
        #expect(try await broker.workers().isEmpty)
    }

    @Test("a run is shown by the name that its caller gave it, if there is one")
    func shadow() async throws {
        let gate = Gate()
        let task = app.task("slow") { () in try await gate.pass() }
        try await withWorker(app) { worker in
            let result = try await task.enqueue(options: EnqueueOptions(shadow: "the monthly one"))
            try await eventually("it runs") { gate.arrivals == 1 }
            #expect(worker.vitals.running.map(\.task) == ["the monthly one"])
            gate.open()
            try await result.value(timeout: .seconds(20))
        }
    }

    @Test(
        "a task that is cancelled while it waits has its status for as long as it says, one that is revoked as the app says"
    )
    func cancelled() async throws {
        let app = Chard("app", broker: broker, settings: Settings(resultExpires: .seconds(50)))
        let task = app.task("short", options: TaskOptions(resultExpires: .seconds(5))) { () in 1 }
        #expect(app.revokedStatus(of: "a", task: task.name).timeToLive == .seconds(5))
        #expect(app.revokedStatus(of: "a", task: "other").timeToLive == .seconds(50))
        #expect(app.revokedStatus(of: "a").timeToLive == .seconds(50))
    }

    @Test("results are kept as long as the task says, else as long as the app says")
    func lifetimes() async throws {
        var settings = Settings()
        settings.resultExpires = .seconds(50)
        let broker = RecordingConsumerBroker()
        let app = Chard("app", broker: broker, settings: settings)
        let short = app.task("short", options: TaskOptions(tracksStart: true, resultExpires: .seconds(5))) {
            (context: TaskContext) in
            try await context.progress(1, of: 2)
            return 1
        }
        let usual = app.task("usual") { (context: TaskContext) in
            try await context.progress(1, of: 2)
            return 1
        }
        try await withWorker(app) { _ in
            _ = try await short.enqueue().value(timeout: .seconds(20))
            _ = try await usual.enqueue().value(timeout: .seconds(20))
        }
        #expect(broker.settled.map(\.effects.statuses.first?.timeToLive) == [.seconds(5), .seconds(50)])
        #expect(broker.reported.map(\.state) == [.started, .progress, .progress])
        #expect(broker.reported.map(\.timeToLive) == [.seconds(5), .seconds(5), .seconds(50)])
    }

    @Test("results may be kept in a second store: there all statuses go, and none to the broker")
    func elsewhere() async throws {
        let (queue, store) = (RecordingConsumerBroker(), MemoryBroker())
        let app = Chard("app", broker: queue, results: store)
        let gate = Gate()
        let task = app.task("t", options: TaskOptions(tracksStart: true)) { (context: TaskContext, fails: Bool) in
            try await gate.pass()
            try await context.progress(1, of: 2)
            if fails { throw TaskError("ValueError", "boom") }
            return "done"
        }
        try await withWorker(app) { worker in
            let good = try await task.enqueue(false)
            async let seen = states(of: good)
            try await eventually("it has started") { try await store.status(of: good.id)?.state == .started }
            gate.open()
            #expect(try await seen.map(\.state) == [.started, .progress, .success])
            #expect(try await good.value(timeout: .seconds(20)) == "done")
            let bad = try await task.enqueue(true)
            let error = await thrown(TaskError.self) { try await bad.value(timeout: .seconds(20)) }
            #expect(error?.message == "boom")
            try await eventually("both are settled") { worker.vitals.done == 2 }
            for id in [good.id, bad.id] {
                #expect(try await queue.status(of: id) == nil)
                #expect(try await store.status(of: id) != nil)
            }
        }
        #expect(queue.settled.allSatisfy { $0.effects.statuses.isEmpty })
        #expect(try await store.queues().isEmpty)
    }

    @Test("a second store that is away is waited for where a body tells its state, and keeps no task from running")
    func elsewhereAway() async throws {
        let store = AbsentStore()
        let app = Chard("app", broker: broker, results: store)
        let task = app.task("t", options: TaskOptions(tracksStart: true)) { (context: TaskContext) in
            // STARTED is not worth waiting for: the body runs while the store is away.
            store.isAway.withLock { $0 = false }
            try await context.progress(1, of: 2)
            return "done"
        }
        try await withWorker(app) { _ in
            let result = try await task.enqueue()
            #expect(try await result.value(timeout: .seconds(20)) == "done")
        }
        #expect(store.refused.withLock { $0 } > 0)
    }

    @Test(
        "with a second store, what was lost too often is FAILURE there, too, whoever found it",
        arguments: [Finder.operator, .worker, .nobodyYet])
    func lostElsewhere(finder: Finder) async throws {
        var memory = MemorySettings()
        memory.lease = .milliseconds(100)
        let (queue, store) = (MemoryBroker(settings: memory), MemoryBroker())
        let app = Chard("app", broker: queue, results: store)
        var message = TaskMessage(task: "t", id: "id", body: MessageBody(), queue: "celery")
        message.losses = 2
        message = queue.seal.sealing(message)
        try await queue.send([OutgoingMessage(id: "id", queue: "celery", payload: message.encoded())])
        let lost = try await queue.consumer(
            for: Subscription(queues: ["celery"], node: "lost@here", concurrency: 1, startedAt: .now))
        _ = try await lost.claim(upTo: 1)
        try await lost.noteLastChance(of: "id")
        switch finder {
        case .operator: try await app.operator.declareLost(lost.identity)
        case .worker:
            try await withWorker(app) { worker in
                try await eventually("the worker holds") { try await queue.workers().count == 2 }
                queue.silence(lost.identity)
                try await eventually("its failure is stored") { try await store.status(of: "id") != nil }
            }
        case .nobodyYet:
            queue.silence(lost.identity)
            try await eventually("it is put aside") { try await queue.deadLetter("id") != nil }
            try await withWorker(app) { _ in
                try await eventually("its failure is stored") { try await store.status(of: "id") != nil }
            }
        }
        withExtendedLifetime(lost) {}
        #expect(try await store.status(of: "id")?.error?.type == "WorkerLost")
    }

    @Test("with a second store, a scheduled task that is revoked is REVOKED there, too")
    func revokedElsewhere() async throws {
        let store = MemoryBroker()
        let app = Chard("app", broker: broker, results: store)
        let task = app.task("t") { () in 1 }
        let result = try await task.enqueue(options: EnqueueOptions(countdown: .seconds(600)))
        try await result.revoke()
        #expect(try await store.status(of: result.id)?.state == .revoked)
    }
}

/// A store that refuses until it is told otherwise.
private final class AbsentStore: ResultStore {
    let isAway = Mutex(true)
    let refused = Mutex(0)
    private let inner = MemoryBroker()
    let location = "absent://"

    func connect() async throws {}

    func store(_ statuses: [StatusRecord]) async throws {
        if isAway.withLock({ $0 }) {
            refused.withLock { $0 += 1 }
            throw BrokerError(.unavailable, "away")
        }
        try await inner.store(statuses)
    }

    func status(of id: String) async throws -> TaskStatus? { try await inner.status(of: id) }
    func statuses(of id: String) -> AsyncThrowingStream<TaskStatus, any Error> { inner.statuses(of: id) }
    func forget(_ id: String) async throws -> Bool { try await inner.forget(id) }
    func shutdown() async {}
}
